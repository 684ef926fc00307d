// go run send.go TO TEXT KEY          (Go 1.19 or newer, nothing to install)
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

var client = http.Client{
	Timeout:   15 * time.Second,  // longer than agent.wait
	Transport: &http.Transport{}, // the agent is a neighbour: no proxy stands between
}

type message struct{ ID, Status string }

type problem struct{ Code, Detail, Hint string }

// sendSMS sends one SMS. key names the occasion: the same call with the same key sends nothing again.
func sendSMS(to, text, key string) (message, error) {
	var sent message
	agent := os.Getenv("SMS_AGENT_URL")
	if agent == "" {
		agent = "http://127.0.0.1:7670"
	}
	body, err := json.Marshal(map[string]string{"to": to, "body": text})
	if err != nil {
		return sent, err
	}
	request, err := http.NewRequest(http.MethodPost, agent+"/v1/messages", bytes.NewReader(body))
	if err != nil {
		return sent, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	if file := os.Getenv("SMS_AGENT_TOKEN_FILE"); file != "" {
		token, err := os.ReadFile(file)
		if err != nil {
			return sent, err
		}
		request.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	}
	response, err := client.Do(request)
	if err != nil {
		return sent, fmt.Errorf("cannot reach the SMS agent at %s: %w", agent, err)
	}
	defer response.Body.Close()
	var refused problem
	var into any = &sent
	if response.StatusCode >= 300 {
		into = &refused
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return sent, fmt.Errorf("%s answered %s without JSON: is it the SMS agent?", agent, response.Status)
	}
	if response.StatusCode < 300 {
		return sent, nil
	}
	return sent, fmt.Errorf("%s: %s %s", refused.Code, refused.Detail, refused.Hint)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: go run send.go TO TEXT KEY")
		os.Exit(1)
	}
	sent, err := sendSMS(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(sent.Status, sent.ID)
}
