// TCP streams by the reassembly package. Bytes that are delivered are counted.
package main

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/reassembly"
)

const name = "gopacket-reassembly"

var delivered uint64

type reassembler struct {
	assembler *reassembly.Assembler
	context   context
}

type context struct{ info gopacket.CaptureInfo }

func (c *context) GetCaptureInfo() gopacket.CaptureInfo { return c.info }

type stream struct{}

func (stream) New(_, _ gopacket.Flow, _ *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	return stream{}
}
func (stream) Accept(*layers.TCP, gopacket.CaptureInfo, reassembly.TCPFlowDirection,
	reassembly.Sequence, *bool, reassembly.AssemblerContext) bool {
	return true
}
func (stream) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	length, _ := sg.Lengths()
	delivered += uint64(len(sg.Fetch(length)))
}
func (stream) ReassemblyComplete(reassembly.AssemblerContext) bool { return true }

func newWorker() worker {
	return &reassembler{assembler: reassembly.NewAssembler(reassembly.NewStreamPool(stream{}))}
}

func (r *reassembler) take(p *packet) {
	size := len(p.frame.data)
	r.context.info = gopacket.CaptureInfo{Timestamp: p.frame.time, CaptureLength: size, Length: size}
	r.assembler.AssembleWithContext(p.ip.NetworkFlow(), &p.tcp, &r.context)
}

func (r *reassembler) answer(t *truth) (uint64, uint64) { return delivered, t.payload }
