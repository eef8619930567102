package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
)

// Container variables that a child gets beside those that begin with __OW_ (runtimes.md §2.2, and SLUICE's addition): what
// programs expect, and the operator's switch for installing at init.
var inherited = []string{"PATH", "HOME", "LANG", "OW_ENABLE_INIT_INSTALL"}

// Settings of the proxy that look like variables of the action.
var ownVariables = []string{"__OW_LISTEN_SOCKET"}

const proxyVersion = "1.0.0"

// environment is what a compiler, a child or an action's program is started with, and nothing else.
type environment map[string]string

// childEnvironment takes what may be passed on from the container's own variables.
func childEnvironment(settings settings) environment {
	env := environment{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "__OW_") || contains(inherited, name) {
			env[name] = value
		}
	}
	for _, name := range ownVariables {
		delete(env, name)
	}
	env["__OW_PROXY_VERSION"] = proxyVersion
	if settings.executionEnv != "" {
		env["__OW_EXECUTION_ENV"] = settings.executionEnv
	}
	if settings.waitForAck {
		env["__OW_WAIT_FOR_ACK"] = "1"
	}
	return env
}

func (e environment) with(more environment) environment {
	all := environment{}
	for name, value := range e {
		all[name] = value
	}
	for name, value := range more {
		all[name] = value
	}
	return all
}

func (e environment) list() []string {
	list := make([]string, 0, len(e))
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	return list
}

// textVariables turns JSON values into variables: strings as they are, null to nothing, the rest to compact JSON (§1.2).
// Names and values that no process can be started with are left out.
func textVariables(values map[string]json.RawMessage) environment {
	env := environment{}
	for name, value := range values {
		text := variableText(value)
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(text, "\x00") {
			continue
		}
		env[name] = text
	}
	return env
}

func variableText(value json.RawMessage) string {
	if len(value) == 0 || string(value) == "null" {
		return ""
	}
	if value[0] == '"' {
		var text string
		if json.Unmarshal(value, &text) == nil {
			return text
		}
	}
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return string(value)
	}
	return compact.String()
}

func contains(list []string, wanted string) bool {
	for _, entry := range list {
		if entry == wanted {
			return true
		}
	}
	return false
}
