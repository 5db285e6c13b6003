package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// psn [STATUS] BODY serves a copy of PSN to the script: BODY is what it tells of the
// user, STATUS (default 200) how it answers. It takes the code SECRETCODE and no
// other. "! psn" is one that does not answer.
func cmdPSN(ts *testscript.TestScript, neg bool, args []string) {
	status := http.StatusOK
	if len(args) == 2 {
		var err error
		status, err = strconv.Atoi(args[0])
		ts.Check(err)
		args = args[1:]
	}
	if (len(args) != 1) != neg {
		ts.Fatalf("usage: psn [STATUS] BODY, or ! psn")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2.0/oauth/token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code") != "SECRETCODE" {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"access_token":"SECRETTOKEN"}`))
	})
	mux.HandleFunc("GET /2.0/oauth/token/SECRETTOKEN", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(args[0]))
	})
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	if neg {
		server.Close()
	}
	ts.Setenv("PS4KIT_PSN_AUTH_URL", server.URL)
}

// testNPSSO is the token that account takes.
const testNPSSO = "SECRET0123456789SECRET0123456789SECRET0123456789SECRET0123456789"

// account [STATUS] FILE serves a copy of PSN to the script that has an account with
// the titles in FILE, a JSON array. STATUS (default 200) is how it answers when it is
// asked for them. The account id is 9019256736915509894.
func cmdAccount(ts *testscript.TestScript, neg bool, args []string) {
	status := http.StatusOK
	if len(args) == 2 {
		var err error
		status, err = strconv.Atoi(args[0])
		ts.Check(err)
		args = args[1:]
	}
	if neg || len(args) != 1 {
		ts.Fatalf("usage: account [STATUS] FILE")
	}
	list := strings.TrimSpace(ts.ReadFile(args[0]))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/authz/v3/oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		answer := "error=login_required"
		if r.Header.Get("Cookie") == "npsso="+testNPSSO {
			answer = "code=SECRETCODE"
		}
		w.Header().Set("Location", "com.scee.psxandroid.scecompcall://redirect/?"+answer)
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("POST /api/authz/v3/oauth/token", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"access_token":"SECRETTOKEN"}`))
	})
	mux.HandleFunc("GET /api/gamelist/v2/users/me/titles", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"titles":%s,"totalItemCount":1}`, list)
	})
	mux.HandleFunc("GET /api/v1/devices/accounts/me", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"accountId":"9019256736915509894"}`))
	})
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("PS4KIT_PSN_ACCOUNT_URL", server.URL)
	ts.Setenv("PS4KIT_PSN_TITLES_URL", server.URL)
}

// udp NAME sets $NAME to a UDP port of loopback that is free now, or with "taken"
// after it to one that this process holds.
func cmdUDP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: udp NAME [taken]")
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port))
	if second(args) == "taken" {
		ts.Defer(func() { _ = conn.Close() })
		return
	}
	_ = conn.Close()
}

// phone PORT FILE is the phone app: it searches until a console answers on the port,
// which goes to FILE, then sends what must be ignored and at last its credential.
func cmdPhone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: phone PORT FILE")
	}
	conn, err := net.Dial("udp4", "127.0.0.1:"+args[0])
	ts.Check(err)
	defer conn.Close()
	reply, err := searchUntilAnswered(conn)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), reply, 0o600))
	const wakeup = "WAKEUP * HTTP/1.1\nclient-type:a\nauth-type:%s\nuser-credential:%s\ndevice-discovery-protocol-version:00020020\n"
	for _, datagram := range []string{
		"garbage \xff\x00", strings.Repeat("x", 3000), "WAKEUP * HTTP/1.1\nauth-type:C\n",
		"LAUNCH * HTTP/1.1\nauth-type:C\nuser-credential:" + strings.Repeat("0", 64) + "\n",
		fmt.Sprintf(wakeup, "R", "123456789"), fmt.Sprintf(wakeup, "R", strings.Repeat("0", 64)), fmt.Sprintf(wakeup, "C", "12"),
		fmt.Sprintf(wakeup, "C", testCredential),
	} {
		_, err := conn.Write([]byte(datagram))
		ts.Check(err)
	}
}

// searchUntilAnswered asks four times a second for as long as a script waits.
func searchUntilAnswered(conn net.Conn) ([]byte, error) {
	reply := make([]byte, 2048)
	var err error
	for until := time.Now().Add(sawLimit); time.Now().Before(until); {
		asked := time.Now()
		if _, err = conn.Write([]byte("SRCH * HTTP/1.1\ndevice-discovery-protocol-version:00020020")); err == nil {
			_ = conn.SetReadDeadline(asked.Add(250 * time.Millisecond))
			var n int
			if n, err = conn.Read(reply); err == nil {
				return reply[:n], nil
			}
		}
		<-time.After(time.Until(asked.Add(250 * time.Millisecond))) // refused at once, as nobody listens yet
	}
	return nil, err
}

// mode FILE OCTAL compares the permissions of a file.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mode FILE OCTAL")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := strconv.FormatInt(int64(info.Mode().Perm()), 8); (got == args[1]) == neg {
		ts.Fatalf("%s has the mode %s", args[0], got)
	}
}
