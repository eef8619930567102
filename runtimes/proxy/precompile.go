package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// precompile reads code from `in` and writes the zip of what the image's compiler makes of it to `out`; as an action that
// starts without compiling (runtimes.md §2.1, §2.5).
func precompile(s settings, main, moreEnv string, in io.Reader, out io.Writer) error {
	if s.compiler == "" {
		return errors.New("OW_COMPILER is not set: nothing to compile with")
	}
	code, err := io.ReadAll(io.LimitReader(in, bodyBytesMax))
	if err != nil {
		return err
	}
	env := childEnvironment(s)
	if moreEnv != "" {
		var values map[string]json.RawMessage
		if err := json.Unmarshal([]byte(moreEnv), &values); err != nil {
			return err
		}
		env = env.with(textVariables(values))
	}
	folder, err := os.MkdirTemp("", "compile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	source, target := filepath.Join(folder, "src"), filepath.Join(folder, "bin")
	if err := extract(code, source, s.saveJar); err != nil {
		return err
	}
	if isExecutable(filepath.Join(source, "exec")) {
		return errors.New("nothing to compile: this is an executable")
	}
	if err := compile(s.compiler, main, source, target, env); err != nil {
		return err
	}
	return zipFolder(target, out)
}

func zipFolder(folder string, out io.Writer) error {
	archive := zip.NewWriter(out)
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		return addEntry(archive, folder, path, entry)
	})
	if err != nil {
		return err
	}
	return archive.Close()
}

func addEntry(archive *zip.Writer, folder, path string, entry os.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(folder, path)
	if err != nil {
		return err
	}
	header.Name, header.Method = filepath.ToSlash(name), zip.Deflate
	if entry.IsDir() {
		header.Name += "/"
	}
	into, err := archive.CreateHeader(header)
	if err != nil || entry.IsDir() {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		if err != nil {
			return err
		}
		_, err = io.WriteString(into, to)
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(into, file)
	return err
}
