package ps4_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

func TestStatus(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.TitleID, f.reply.AppName = "cusa00129", "Call of Duty®: Black Ops 4"
		f.raw = []string{"garbage", "HTTP/1.1 404 No\nhost-id:1\n", string(ddp.Reply{Code: 200, HostID: "1234567890AB"}.Marshal())}
		o := f.options()
		got, err := f.console(o).Status(ctx)
		ok(t, err)
		want := ps4.Status{
			Addr: testAddr, HostID: hostID, HostType: "PS4", HostName: "Den", State: ps4.StateAwake,
			RequestPort: 997, SystemVersion: "09508011", TitleID: "CUSA00129", TitleName: "Call of Duty®: Black Ops 4",
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if n := o.Counters.DDPDropped.Load(); n != 3 {
			t.Errorf("%d datagrams dropped, want 3", n)
		}
		f.reply.Code = ddp.CodeStandby
		got, err = f.console(o).Status(ctx)
		ok(t, err)
		if got.State != ps4.StateStandby {
			t.Errorf("state %v", got.State)
		}
	})
}

func TestStatusUnreachable(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.deaf = true
		status, err := f.console(f.options()).Status(ctx)
		wantErr(t, err, ps4.ErrUnreachable)
		if status.State != ps4.StateUnreachable || status.Addr != testAddr {
			t.Errorf("status %+v", status)
		}
		same(t, f.take(), "0s SRCH", "1s SRCH", "2s SRCH")
		limited, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer cancel()
		_, err = f.console(f.options()).Status(limited)
		wantErr(t, err, ps4.ErrUnreachable)
		if took := time.Since(f.start); took != 1500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		_, err = f.console(f.options()).Status(cancelled)
		wantErr(t, err, context.Canceled)
	})
}

func TestStatusOfAnotherConsole(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		c := f.console(f.options())
		c.SetHostID(strings.ToLower(hostID))
		_, err := c.Status(ctx)
		ok(t, err)
		c.SetHostID("000000000001")
		_, err = c.Status(ctx)
		wantErr(t, err, ps4.ErrOtherConsole)
		if want := "the console at 192.0.2.20:987 is " + hostID + ", not 000000000001"; err == nil || err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		c.SetHostID("")
		f.from = netip.MustParseAddrPort("192.0.2.99:987")
		_, err = c.Status(ctx)
		wantErr(t, err, ps4.ErrUnreachable)
		c.SetAddr(netip.MustParseAddrPort("192.0.2.99:0"))
		status, err := c.Status(ctx)
		ok(t, err)
		if status.Addr.String() != "192.0.2.99:987" {
			t.Errorf("address %v", status.Addr)
		}
	})
}

func TestWakeAndLaunchBytes(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		var got []ddp.Request
		f.onDDP = func(_ *fake, r ddp.Request) { got = append(got, r) }
		c := f.console(f.options())
		ok(t, c.Wake(ctx))
		ok(t, c.Launch(ctx))
		same(t, f.take(), "0s WAKEUP", "0s LAUNCH")
		for _, r := range got {
			if r.Credential != testHex || r.ClientType != "a" || r.AuthType != "C" || r.Version != "00020020" {
				t.Errorf("unexpected headers of %s", r.Method)
			}
		}
	})
}

func TestWakeWait(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.Code = ddp.CodeStandby
		wakes := 0
		f.onDDP = func(f *fake, r ddp.Request) {
			if r.Method != ddp.Wakeup {
				return
			}
			if wakes++; wakes == 2 { // the first one is lost
				time.AfterFunc(1500*time.Millisecond, func() { f.change(func() { f.reply.Code = ddp.CodeAwake }) })
			}
		}
		c := f.console(f.options())
		status, err := c.WakeWait(ctx)
		ok(t, err)
		if status.State != ps4.StateAwake {
			t.Errorf("state %v", status.State)
		}
		same(t, f.take(), "0s SRCH", "0s WAKEUP", "1s SRCH", "2s SRCH", "3s SRCH", "3s WAKEUP", "4s SRCH", "5s SRCH")

		_, err = c.WakeWait(ctx)
		ok(t, err)
		same(t, f.take(), "0s SRCH") // it is awake already
	})
}

func TestWakeWaitGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		deaf bool
		want error
	}{"rest mode": {false, ps4.ErrNotWoken}, "deaf": {true, ps4.ErrUnreachable}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				f.reply.Code, f.deaf = ddp.CodeStandby, test.deaf
				_, err := f.console(f.options()).WakeWait(ctx)
				wantErr(t, err, test.want)
				if took := time.Since(f.start); took != time.Minute {
					t.Errorf("gave up after %v", took)
				}
				if n := strings.Count(strings.Join(f.take(), " "), "WAKEUP"); n != 20 {
					t.Errorf("%d wake-ups in a minute", n)
				}
			})
		})
	}
}

func TestQueriesAreLimited(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		c := f.console(f.options())
		for range 7 {
			_, err := c.Status(ctx)
			ok(t, err)
		}
		same(t, f.take(), "0s SRCH", "0s SRCH", "0s SRCH", "1s SRCH", "1s SRCH", "1s SRCH", "2s SRCH")
	})
}
