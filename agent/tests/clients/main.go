// Uses every operation of a client that openapi-generator's `go` generated: URL FUTURE_URL [TOKEN].
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	sms "example/client"
)

func connect(url string) *sms.APIClient {
	settings := sms.NewConfiguration()
	settings.Servers = sms.ServerConfigurations{{URL: url}}
	return sms.NewAPIClient(settings)
}

func must(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprint(what...))
	}
}

func done(err error) {
	if err != nil {
		panic(err)
	}
}

func problem(err error) sms.Problem {
	var refusal *sms.GenericOpenAPIError
	must(errors.As(err, &refusal), err)
	return refusal.Model().(sms.Problem)
}

func main() {
	url, future, token := os.Args[1], os.Args[2], ""
	client, ctx := connect(url), context.Background()
	if len(os.Args) > 3 {
		token = os.Args[3]
		ctx = context.WithValue(ctx, sms.ContextAccessToken, token)
	}

	health, _, err := client.AgentAPI.GetHealth(ctx).Execute()
	done(err)
	must(health.Status == "ok", health)
	ready, _, err := client.AgentAPI.GetReadiness(ctx).Execute()
	done(err)
	must(ready.Status == "ok", ready)
	document, _, err := client.AgentAPI.GetDescription(ctx).Execute()
	done(err)
	must(document["openapi"] != nil)

	draft := sms.NewDraft()
	draft.SetTo("+12065550100")
	draft.SetBody("hello")
	draft.SetType(sms.PROMOTIONAL)
	preview, _, err := client.MessagesAPI.PreviewMessage(ctx).Draft(*draft).Execute()
	done(err)
	must(preview.Admitted && preview.GetSegments() == 1 && preview.GetCountry() == "US", preview)

	send := sms.NewSend("+12065550100", "Your table is ready")
	send.SetReference("go")
	key := fmt.Sprint("go ", token != "")
	sent, _, err := client.MessagesAPI.SendMessage(ctx).Send(*send).IdempotencyKey(key).Execute()
	done(err)
	must(sent.Status == "sent", sent)
	again, _, err := client.MessagesAPI.SendMessage(ctx).Send(*send).IdempotencyKey(key).Execute()
	done(err)
	must(again.Id == sent.Id, again)
	message, _, err := client.MessagesAPI.GetMessage(ctx, sent.Id).Execute()
	done(err)
	must(message.GetReference() == "go", message)
	page, _, err := client.MessagesAPI.ListMessages(ctx).Reference("go").Limit(1).Execute()
	done(err)
	must(page.Messages[0].Id == sent.Id, page)
	phone, _, err := client.SimulatorAPI.ListSimulatorMessages(ctx).To("+12065550100").Execute()
	done(err)
	must(phone.Messages[0].Body == "Your table is ready", phone)

	batch := sms.NewBatch([]sms.Send{*send, *sms.NewSend("+15005550002", "hello")})
	batched, _, err := client.MessagesAPI.SendBatch(ctx).Batch(*batch).Execute()
	done(err)
	must(batched.Results[0].Status == 202 && batched.Results[0].Message.To == "+12065550100", batched)
	must(batched.Results[1].Status == 422 && batched.Results[1].Problem.Code == "opted_out", batched)
	optOut, _, err := client.NumbersAPI.GetOptOut(ctx, "+15005550002").Execute()
	done(err)
	must(optOut.OptedOut, optOut)

	_, _, err = client.MessagesAPI.SendMessage(ctx).Send(*sms.NewSend("+1", "hello")).Execute()
	must(problem(err).Code == "invalid_phone_number", err)
	if token != "" {
		_, _, err = client.MessagesAPI.GetMessage(context.Background(), sent.Id).Execute()
		must(problem(err).Code == "unauthorized", err)
	}

	hangs := sms.NewSend("+15005550008", "hello")
	_, _, err = client.MessagesAPI.SendMessage(ctx).Send(*hangs).Prefer("respond-async").Execute()
	done(err)
	queued, _, err := client.MessagesAPI.SendMessage(ctx).Send(*send).Prefer("respond-async").Execute()
	done(err)
	canceled, _, err := client.MessagesAPI.CancelMessage(ctx, queued.Id).Execute()
	done(err)
	must(canceled.Status == "canceled", canceled)

	later, _, err := connect(future).MessagesAPI.GetMessage(context.Background(), sent.Id).Execute()
	done(err)
	must(later.Status == "archived" && later.GetError().Code == "code_to_come", later)
	fmt.Println("used every operation")
}
