package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stopLimit is how long a program may take to end.
const stopLimit = 5 * time.Second

// process is a server under measurement.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	said  bytes.Buffer // read only once it has ended
	ended chan struct{}
}

// begin starts a program that ends, at the latest, when this one does.
func begin(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.began = time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(p.ended) }() // how it ends is not measured
	return p, nil
}

// stop ends the program as a service manager does. One that had ended by itself is an
// error, with what it said.
func (p *process) stop() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended by itself: %v\n%s", p.cmd.Path, p.cmd.ProcessState, p.said.Bytes())
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return nil
}

// size is the memory of a process in MB: resident, and its proportional share of what
// several processes map.
type size struct{ rss, pss float64 }

func (p *process) size() (size, error) {
	rollup := file(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	rss, err := strconv.Atoi(field(rollup, "Rss:"))
	if err != nil {
		return size{}, fmt.Errorf("memory of %s: %w", p.cmd.Path, err)
	}
	pss, err := strconv.Atoi(field(rollup, "Pss:"))
	return size{float64(rss) / 1024, float64(pss) / 1024}, err
}

// cpu is the processor time that a process has used so far, to the nanosecond.
func (p *process) cpu() (time.Duration, error) {
	const schedClock = 2 // CPUCLOCK_SCHED of Linux's posix-timers.h
	var ts unix.Timespec
	err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|schedClock), &ts) //nolint:gosec // a pid has 22 bits
	return time.Duration(ts.Nano()), err
}

// share is the part of one core, in percent, that a process uses over a time.
func (p *process) share(ctx context.Context, over time.Duration) (float64, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if !pause(ctx, over) {
		return 0, ctx.Err()
	}
	after, err := p.cpu()
	return 100 * float64(after-before) / float64(time.Since(start)), err
}
