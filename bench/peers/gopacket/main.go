// PROGRAM flows|streams SHAPE PACKETS <PCAP: one of flows.go, tcpassembly.go and reassembly.go (two
// of them do not link into one program) behind a DecodingLayerParser, the fastest way that its
// documentation shows, with defaults. Frames are read from standard input into 8 MiB, outside the
// time, as the other peers' ring is refilled; the CPU time of the thread counts (collecting garbage
// in other threads does not). Half of the packets go by before time is taken. Prints the line of
// bench/peers/peer_run.h.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

const headerBytes = 54

// What the parser found in a frame.
type packet struct {
	ethernet layers.Ethernet
	ip       layers.IPv4
	tcp      layers.TCP
	frame    *frame
}

// A worker takes each packet; answer is what it says at the end, and what would be right.
type worker interface {
	take(p *packet)
	answer(t *truth) (uint64, uint64)
}

func threadNs() int64 {
	const threadCPU = 3 // CLOCK_THREAD_CPUTIME_ID
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadCPU, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

func main() {
	runtime.LockOSThread()
	packets, _ := strconv.Atoi(os.Args[3])
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	in.Discard(24)
	work := newWorker()
	ring := newRing()
	sent := newTruth()
	var p packet
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &p.ethernet, &p.ip, &p.tcp)
	parser.IgnoreUnsupported = true
	decoded := make([]gopacket.LayerType, 0, 4)
	var ns int64
	done, timed := 0, 0
	for ring.refill(in) {
		warm := done >= packets/2
		start := threadNs()
		for i := range ring.frames {
			p.frame = &ring.frames[i]
			if parser.DecodeLayers(p.frame.data, &decoded) != nil || len(decoded) < 3 {
				continue
			}
			work.take(&p)
		}
		if warm {
			ns += threadNs() - start
			timed += len(ring.frames)
		}
		done += len(ring.frames)
		sent.add(ring.frames)
	}
	said, right := work.answer(sent)
	fmt.Printf("%s %s %.1f %d %d\n", name, os.Args[2], float64(ns)/float64(timed), said, right)
}
