// TCP streams by the tcpassembly package. Bytes that are delivered are counted.
package main

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/tcpassembly"
)

const name = "gopacket-tcpassembly"

var delivered uint64

type assembly struct{ assembler *tcpassembly.Assembler }

type stream struct{}

func (stream) New(_, _ gopacket.Flow) tcpassembly.Stream { return stream{} }
func (stream) Reassembled(parts []tcpassembly.Reassembly) {
	for i := range parts {
		delivered += uint64(len(parts[i].Bytes))
	}
}
func (stream) ReassemblyComplete() {}

func newWorker() worker {
	return &assembly{tcpassembly.NewAssembler(tcpassembly.NewStreamPool(stream{}))}
}

func (a *assembly) take(p *packet) {
	a.assembler.AssembleWithTimestamp(p.ip.NetworkFlow(), &p.tcp, p.frame.time)
}

func (a *assembly) answer(t *truth) (uint64, uint64) { return delivered, t.payload }
