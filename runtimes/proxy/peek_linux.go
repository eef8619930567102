package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const (
	waitAll     = 0
	waitExited  = 4
	waitNoReap  = 0x01000000
	waitNoBlock = syscall.WNOHANG
)

// peekDead finds a dead child without taking it off the table; 0 if there is none.
func peekDead() int {
	// siginfo_t: three ints, on 64-bit machines then padding, then the process id.
	var info [32]int32
	_, _, err := syscall.Syscall6(syscall.SYS_WAITID, waitAll, 0, uintptr(unsafe.Pointer(&info)),
		waitExited|waitNoReap|waitNoBlock, 0, 0)
	if err != 0 {
		return 0
	}
	if unsafe.Sizeof(uintptr(0)) == 8 {
		return int(info[4])
	}
	return int(info[3])
}

// oomKills counts what the kernel has killed in this container because of its memory limit.
func oomKills() int {
	for _, file := range []string{"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(text), "\n") {
			if count, found := strings.CutPrefix(line, "oom_kill "); found {
				n, _ := strconv.Atoi(count)
				return n
			}
		}
	}
	return 0
}
