// Writes segments.tsv: encoding and segments of some 1,700 texts as Twilio's calculator counts them.
//
//     npm install sms-segments-calculator@1.3.0 && node segments.mjs > segments.tsv
//
// Columns: encoding, segments, the text as a JSON array of strings and how often each is repeated. A text of a single
// string is that string. Smart encoding is off, since SNS sends what it is given. Twilio keeps a grapheme (an emoji of
// several code points, a letter with a combining accent) in one segment; the standard knows none. So the texts here are
// made of graphemes of one code point, but for those of the last section, under the heading `# graphemes`.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { SegmentedMessage } = require("sms-segments-calculator");
const entry = require.resolve("sms-segments-calculator");
const { version } = JSON.parse(readFileSync(new URL("../package.json", `file://${entry}`)));

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION = "\f^{}\\[~]|€";

let state = 20261124;
// Numerical Recipes' generator, its upper half: the data must come out the same everywhere.
function draw(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 16) % below;
}
const pick = (characters) => characters[draw(characters.length)];
const random = (alphabet, length) => {
  const characters = [...alphabet];
  return Array.from({ length }, () => pick(characters)).join("");
};

const textOf = (pieces) => pieces.map(([piece, count]) => piece.repeat(count)).join("");

function write(pieces, graphemes = false) {
  const text = textOf(pieces);
  const message = new SegmentedMessage(text);
  if ((message.graphemes.length !== [...text].length) !== graphemes) throw new Error(`graphemes: ${JSON.stringify(pieces)}`);
  const written = pieces.length === 1 && pieces[0][1] === 1 ? pieces[0][0] : pieces;
  console.log([message.encodingName, message.segments.length, JSON.stringify(written)].join("\t"));
}

console.log(`# sms-segments-calculator ${version}, smart encoding off`);

// Every character that could be mistaken for one of the alphabet, and all of the alphabet.
const alone = new Set([...range(0, 0x24f), ...range(0x370, 0x3ff), ...range(0x2010, 0x203a), 0x20ac, 0x2126, 0x1f600]);
for (const code of alone) write([[String.fromCodePoint(code), 1]]);
for (const character of BASIC + EXTENSION) write([[character, 160]]);

// Around each place where a segment ends: a character of two units before, on and after it.
function boundaries(filler, large, ends, around) {
  for (const end of ends) {
    for (const length of range(end - around, end + around)) {
      write([[filler, length]]);
      for (const at of range(end - around, end + 1).filter((at) => at <= length)) {
        write([[filler, at], [large, 1], [filler, length - at]]);
      }
    }
    write([[large, Math.floor(end / 2)]]);
    write([[large, Math.floor(end / 2) + 1]]);
    write([[filler, 1], [large, Math.floor(end / 2)]]);
  }
}
boundaries("x", "€", [153, 160, 306, 459], 4);
boundaries("é", "\f", [153, 160, 306], 2);
boundaries("ж", "😀", [67, 70, 134, 201], 4);
boundaries("x", "😀", [67, 70, 134], 2);
boundaries("ж", "€", [67, 70, 134], 2);

for (const alphabet of [BASIC, BASIC + EXTENSION, EXTENSION, "абвгдежзийклмн €[", "日本語のテスト", `${BASIC}😀🚀🌍`, "x😀"]) {
  for (const most of [20, 80, 170, 320, 800]) for (let row = 0; row < 6; row++) write([[random(alphabet, 1 + draw(most)), 1]]);
}

console.log("# graphemes");
write([["ж", 65], ["👨‍👩‍👧", 1], ["ж", 60]], true);
write([["ж", 66], ["e\u0301", 1], ["ж", 66]], true);
write([["ж", 65], ["🇩🇪", 1], ["ж", 65]], true);
