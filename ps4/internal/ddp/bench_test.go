package ddp_test

import (
	"testing"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// benchReply returns the reply of a console that runs a title.
func benchReply() ddp.Reply {
	return ddp.Reply{
		Code: ddp.CodeAwake, HostID: "A0B1C2D3E4F5", HostType: "PS4", HostName: "Den", RequestPort: 997, Version: ddp.Version,
		SystemVersion: "09508011", AppName: "Netflix", TitleID: "CUSA00129",
	}
}

func BenchmarkParseReply(b *testing.B) {
	datagram := benchReply().Marshal()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ddp.ParseReply(datagram); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMarshalReply(b *testing.B) {
	r := benchReply()
	b.ReportAllocs()
	for b.Loop() {
		r.Marshal()
	}
}

func BenchmarkParseRequest(b *testing.B) {
	datagram := ddp.NewWakeup(credential).Marshal()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ddp.ParseRequest(datagram); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMarshalRequest(b *testing.B) {
	r := ddp.NewWakeup(credential)
	b.ReportAllocs()
	for b.Loop() {
		r.Marshal()
	}
}
