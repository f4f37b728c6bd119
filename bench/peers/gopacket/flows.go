// Flows counted in a map by gopacket's own endpoints; both directions are one flow.
package main

import (
	"encoding/binary"

	"github.com/google/gopacket"
)

const name = "gopacket"

type key struct{ network, transport gopacket.Flow }

func (k key) reverse() key { return key{k.network.Reverse(), k.transport.Reverse()} }

type flows struct{ known map[key]*counts }

func newWorker() worker { return &flows{make(map[key]*counts)} }

func (f *flows) take(p *packet) {
	k := key{p.ip.NetworkFlow(), p.tcp.TransportFlow()}
	flow := f.known[k]
	if flow == nil {
		if flow = f.known[k.reverse()]; flow == nil {
			flow = new(counts)
			f.known[k] = flow
		}
	}
	flow.packets++
	flow.bytes += uint64(len(p.frame.data))
}

// Flows that are wrong, and how many there are.
func (f *flows) answer(t *truth) (uint64, uint64) {
	sent := uint64(len(t.flows))
	wrong := uint64(0)
	for k, flow := range f.known {
		number := binary.BigEndian.Uint32(k.network.Src().Raw()) & 0xffffff
		if t.flows[number] == *flow {
			delete(t.flows, number)
		} else {
			wrong++
		}
	}
	if missing := uint64(len(t.flows)); missing > wrong {
		wrong = missing
	}
	return wrong, sent
}
