// Frames in memory, read from a capture, and what they hold.
package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"time"
)

const ringBytes = 8 << 20

type frame struct {
	time time.Time
	data []byte
}

type ring struct {
	bytes  []byte
	frames []frame
}

func newRing() *ring { return &ring{bytes: make([]byte, ringBytes)} }

// refill reads as many whole frames as fit; false when there were none.
func (r *ring) refill(in *bufio.Reader) bool {
	r.frames = r.frames[:0]
	for used := 0; used < len(r.bytes); {
		header, err := in.Peek(16)
		if err != nil {
			break
		}
		size := int(binary.LittleEndian.Uint32(header[8:]))
		if used+size > len(r.bytes) {
			break
		}
		seconds := binary.LittleEndian.Uint32(header)
		nanoseconds := binary.LittleEndian.Uint32(header[4:])
		in.Discard(16)
		data := r.bytes[used : used+size]
		if _, err := io.ReadFull(in, data); err != nil {
			break
		}
		r.frames = append(r.frames, frame{time.Unix(int64(seconds), int64(nanoseconds)), data})
		used += (size + 63) &^ 63
	}
	return len(r.frames) > 0
}

type counts struct{ packets, bytes uint64 }

// What was sent: a flow's number stands in its frames' hardware address.
type truth struct {
	payload uint64
	flows   map[uint32]counts
}

func newTruth() *truth { return &truth{flows: make(map[uint32]counts)} }

func (t *truth) add(frames []frame) {
	for i := range frames {
		data := frames[i].data
		t.payload += uint64(len(data) - headerBytes)
		number := binary.BigEndian.Uint32(data[8:]) & 0xffffff
		flow := t.flows[number]
		t.flows[number] = counts{flow.packets + 1, flow.bytes + uint64(len(data))}
	}
}
