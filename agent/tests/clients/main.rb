# Uses every operation of a client that openapi-generator's `ruby` generated: URL FUTURE_URL [TOKEN].
require 'openapi_client'

Sms = OpenapiClient
url, future, token = ARGV

def connect(url, token = nil)
  settings = Sms::Configuration.new
  settings.scheme, settings.host = url.split('://')
  settings.base_path = ''
  settings.server_index = nil
  settings.access_token = token
  Sms::ApiClient.new(settings)
end

def must(holds, what = nil)
  raise what.inspect unless holds
end

def problem
  yield
  raise 'that was to be refused'
rescue Sms::ApiError => e
  JSON.parse(e.response_body)
end

client = connect(url, token)
messages = Sms::MessagesApi.new(client)
agent = Sms::AgentApi.new(client)

must agent.get_health.status == 'ok'
must agent.get_readiness.status == 'ok'
must agent.get_description

preview = messages.preview_message(Sms::Draft.new(to: '+12065550100', body: 'hello', type: Sms::SmsType::PROMOTIONAL))
must preview.admitted && preview.segments == 1 && preview.country == 'US', preview

send = Sms::ModelSend.new(to: '+12065550100', body: 'Your table is ready', reference: 'ruby')
keyed = { idempotency_key: "ruby #{!token.nil?}" }
sent = messages.send_message(send, keyed)
must sent.status == 'sent', sent
must messages.send_message(send, keyed).id == sent.id
must messages.get_message(sent.id).reference == 'ruby'
must messages.list_messages(reference: 'ruby', limit: 1).messages.map(&:id) == [sent.id]
phone = Sms::SimulatorApi.new(client).list_simulator_messages(to: '+12065550100')
must phone.messages[0].body == 'Your table is ready', phone

batch = Sms::Batch.new(messages: [send, Sms::ModelSend.new(to: '+15005550002', body: 'hello')])
accepted, refused = messages.send_batch(batch).results
must accepted.status == 202 && accepted.message.to == '+12065550100', accepted
must refused.status == 422 && refused.problem.code == 'opted_out', refused
must Sms::NumbersApi.new(client).get_opt_out('+15005550002').opted_out

refusal = problem { messages.send_message(Sms::ModelSend.new(to: '+15005550001', body: 'hello')) }
must refusal['code'] == 'carrier_rejected', refusal
if token
  refusal = problem { Sms::MessagesApi.new(connect(url)).get_message(sent.id) }
  must refusal['code'] == 'unauthorized', refusal
end

messages.send_message(Sms::ModelSend.new(to: '+15005550008', body: 'hello'), prefer: 'respond-async')
queued = messages.send_message(send, prefer: 'respond-async')
must messages.cancel_message(queued.id).status == 'canceled'

later = Sms::MessagesApi.new(connect(future)).get_message(sent.id)
must later.status == 'archived' && later.error.code == 'code_to_come', later
puts 'used every operation'
