// gopacket SHAPE PACKETS <PCAP: tcpassembly with its defaults behind a DecodingLayerParser, the
// fastest way that its documentation shows. Frames are read from standard input into 8 MiB, outside
// the time, as the other peers' ring is refilled; the CPU time of the thread counts (collecting
// garbage in other threads does not). Half of the packets go by before time is taken. Prints NAME
// SHAPE ns-per-packet bytes-delivered bytes-sent.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/tcpassembly"
)

const ringBytes = 8 << 20
const headerBytes = 54

var delivered uint64

type counter struct{}

func (counter) New(_, _ gopacket.Flow) tcpassembly.Stream { return counter{} }
func (counter) Reassembled(parts []tcpassembly.Reassembly) {
	for i := range parts {
		delivered += uint64(len(parts[i].Bytes))
	}
}
func (counter) ReassemblyComplete() {}

func threadNs() int64 {
	const threadCPU = 3 // CLOCK_THREAD_CPUTIME_ID
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadCPU, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

type frame struct {
	time time.Time
	data []byte
}

// refill reads as many whole frames as fit into the ring.
func refill(in *bufio.Reader, ring []byte, frames []frame) []frame {
	frames = frames[:0]
	used := 0
	for {
		header, err := in.Peek(16)
		if err != nil {
			return frames
		}
		size := int(binary.LittleEndian.Uint32(header[8:]))
		if used+size > len(ring) {
			return frames
		}
		seconds := binary.LittleEndian.Uint32(header)
		nanoseconds := binary.LittleEndian.Uint32(header[4:])
		in.Discard(16)
		data := ring[used : used+size]
		if _, err := io.ReadFull(in, data); err != nil {
			return frames
		}
		frames = append(frames, frame{time.Unix(int64(seconds), int64(nanoseconds)), data})
		used += (size + 63) &^ 63
		if used > len(ring) {
			return frames
		}
	}
}

func main() {
	runtime.LockOSThread()
	packets, _ := strconv.Atoi(os.Args[2])
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	in.Discard(24)
	ring := make([]byte, ringBytes)
	var frames []frame
	var ethernet layers.Ethernet
	var ip layers.IPv4
	var tcp layers.TCP
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ethernet, &ip, &tcp)
	parser.IgnoreUnsupported = true
	decoded := make([]gopacket.LayerType, 0, 4)
	assembler := tcpassembly.NewAssembler(tcpassembly.NewStreamPool(counter{}))
	var sent uint64
	var ns int64
	done, timed := 0, 0
	for {
		frames = refill(in, ring, frames)
		if len(frames) == 0 {
			break
		}
		warm := done >= packets/2
		start := threadNs()
		for i := range frames {
			if parser.DecodeLayers(frames[i].data, &decoded) != nil || len(decoded) < 3 {
				continue
			}
			assembler.AssembleWithTimestamp(ip.NetworkFlow(), &tcp, frames[i].time)
		}
		if warm {
			ns += threadNs() - start
			timed += len(frames)
		}
		done += len(frames)
		for i := range frames {
			sent += uint64(len(frames[i].data) - headerBytes)
		}
	}
	fmt.Printf("gopacket %s %.1f %d %d\n", os.Args[1], float64(ns)/float64(timed), delivered, sent)
}
