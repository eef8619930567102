package main

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestTextVariablesTurnsJSONIntoText(t *testing.T) {
	var values map[string]json.RawMessage
	json.Unmarshal([]byte(`{"S":"a=b=c\nd","N":1.50,"B":false,"NULL":null,"O":{"a": [1, "x"]},"":"no name","E=":"odd","Z":"a\u0000b"}`), &values)
	expected := environment{"S": "a=b=c\nd", "N": "1.50", "B": "false", "NULL": "", "O": `{"a":[1,"x"]}`}
	if env := textVariables(values); !reflect.DeepEqual(env, expected) {
		t.Error(env)
	}
}

func TestChildEnvironmentPassesOnlyWhatItMay(t *testing.T) {
	t.Setenv("__OW_API_HOST", "http://host?a=b=c")
	t.Setenv("__OW_LISTEN_SOCKET", "/run/socket")
	t.Setenv("SECRET", "x")
	t.Setenv("LANG", "C.UTF-8")
	env := childEnvironment(settings{waitForAck: true, executionEnv: "e"})
	for name, value := range map[string]string{
		"__OW_API_HOST": "http://host?a=b=c", "LANG": "C.UTF-8", "__OW_WAIT_FOR_ACK": "1", "__OW_EXECUTION_ENV": "e",
		"__OW_PROXY_VERSION": proxyVersion, "__OW_LISTEN_SOCKET": "", "SECRET": "",
	} {
		if env[name] != value {
			t.Errorf("%s is %q", name, env[name])
		}
	}
}

func TestRawStringDecodesWhereItLies(t *testing.T) {
	for body, expected := range map[string]string{
		`{"value":{"code":"aGVsbG8gd29ybGQ=","binary":true}}`: "hello world",
		`{"value":{"binary":true,"code":"Pz8\/Pz8\/"}}`:       "??????",
		`{"value":{"code":"text \u2603 \"quoted\"\n"}}`:       "text ☃ \"quoted\"\n",
		`{"value":{"code":"plain"}}`:                          "plain",
		`{"value":{"code":null}}`:                             "",
		`{"value":{"code":"","env":null,"main":null}}`:        "",
		`{}`: "",
		`{"value":{"code":"YWJj` + "YWJj" + `","binary":true}}`: "abcabc",
	} {
		request, refusal := readInitRequest([]byte(body))
		if refusal != nil {
			t.Fatal(string(refusal.body))
		}
		if code, err := request.code(); err != nil || string(code) != expected {
			t.Errorf("%s: %q %v", body, code, err)
		}
	}
}
