package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	in := strings.Join([]string{
		`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}`,
		`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:5: needs node\n"}`,
		`{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}`,
		`{"Action":"skip","Package":"p","Test":"TestA"}`,
		`{"Action":"output","Package":"p","Test":"TestB","Output":"quiet\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestB"}`,
		`{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:9: wrong\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestC"}`,
		`{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}`,
		`not json`,
	}, "\n")
	const want = "SKIP\tp TestA: needs node\n    c_test.go:9: wrong\nFAIL\tp\t0.1s\nnot json\n"
	var out strings.Builder
	report(strings.NewReader(in), &out)
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}

func TestRunReturnsTheExitCode(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if code := run([]string{"-run", "^$", "."}, &out, &out); code != 0 || !strings.Contains(out.String(), "test/gotest") {
		t.Errorf("a passing run: %d\n%s", code, &out)
	}
	if code := run([]string{"./no-such-folder"}, &out, &out); code == 0 {
		t.Errorf("a failing run: %d\n%s", code, &out)
	}
}
