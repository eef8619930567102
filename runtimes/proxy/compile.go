package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// compile runs the image's compiler: `<compiler> <main> <source> <target>`. Silence and an executable `exec` mean success;
// whatever it prints is why it failed (runtimes.md §2.2, §2.5).
func compile(compiler, main, source, target string, env environment) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	words := strings.Fields(compiler)
	cmd := exec.Command(words[0], append(words[1:], main, source, target)...)
	cmd.Env = env.list()
	output := &boundedBuffer{left: outputBytesMax}
	cmd.Stdout, cmd.Stderr = output, output
	// What it leaves running may hold its output open.
	cmd.WaitDelay = compilerDrain
	if err := knownChildren.start(cmd); err != nil {
		return err
	}
	knownChildren.wait(cmd)
	if text := output.String(); text != "" {
		return errors.New(text)
	}
	info, err := os.Stat(filepath.Join(target, "exec"))
	if !cmd.ProcessState.Success() || err != nil || info.Mode()&0o111 == 0 {
		return errors.New(textCannotCompile)
	}
	return nil
}

// boundedBuffer keeps the beginning of an output.
type boundedBuffer struct {
	mu   sync.Mutex
	text []byte
	left int
}

func (b *boundedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := text[:min(len(text), b.left)]
	b.text = append(b.text, kept...)
	b.left -= len(kept)
	return len(text), nil
}

func (b *boundedBuffer) String() string { return string(b.text) }

func trimmed(text []byte) string { return strings.TrimSpace(string(text)) }
