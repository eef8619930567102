package main

import (
	"io"
	"net"
	"net/url"
	"os"
	"strings"
)

// openAPIDoor gives actions the hub's API in a container that has no network: what they send to the address that
// __OW_API_HOST names, on this container's loopback, goes on through the hub's unix socket __OW_API_SOCKET. Does nothing
// where the hub mounted none.
func openAPIDoor() error {
	socket := os.Getenv("__OW_API_SOCKET")
	os.Unsetenv("__OW_API_SOCKET")
	host, err := url.Parse(os.Getenv("__OW_API_HOST"))
	if socket == "" || err != nil || !strings.HasPrefix(host.Host, "127.0.0.1:") {
		return nil
	}
	listener, err := net.Listen("tcp", host.Host)
	if err != nil {
		return err
	}
	places := make(chan struct{}, doorConnectionsMax)
	go func() {
		for {
			places <- struct{}{}
			inside, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				passOn(inside, socket)
				<-places
			}()
		}
	}()
	return nil
}

// passOn carries bytes both ways until both sides have said all.
func passOn(inside net.Conn, socket string) {
	defer inside.Close()
	outside, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer outside.Close()
	sent := make(chan struct{})
	go func() {
		io.Copy(outside, inside)
		outside.(*net.UnixConn).CloseWrite()
		close(sent)
	}()
	io.Copy(inside, outside)
	inside.(*net.TCPConn).CloseWrite()
	<-sent
}
