// Streams through the tracker: what belongs to which stream, when they begin and end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/flow/flow_tracker.h"
#include "tests/support/stream_feeder.h"

namespace weir {
namespace {

using test::kSecond;
using test::MakeSender;
using test::Sender;
using test::StreamFeeder;

constexpr uint8_t kSyn = tcp_flag::kSyn;
constexpr uint8_t kAck = tcp_flag::kAck;
constexpr uint8_t kFin = tcp_flag::kFin;
constexpr uint8_t kRst = tcp_flag::kRst;

class FlowStreamsTest : public ::testing::Test {
 protected:
  void Client(uint8_t flags, uint32_t sequence, uint32_t ack, std::string_view payload = {}) {
    feeder_.Send(client_, flags, sequence, ack, payload);
  }
  void Server(uint8_t flags, uint32_t sequence, uint32_t ack, std::string_view payload = {}) {
    feeder_.Send(client_.Reverse(), flags, sequence, ack, payload);
  }
  void Handshake(uint32_t client_isn = 1000, uint32_t server_isn = 9000) {
    Client(kSyn, client_isn, 0);
    Server(kSyn | kAck, server_isn, client_isn + 1);
    Client(kAck, client_isn + 1, server_isn + 1);
  }
  FlowHandle TheFlow() {
    FlowHandle found;
    feeder_.tracker().ForEach([&](FlowHandle flow) { found = flow; });
    return found;
  }
  uint64_t RefusedFor(Refused reason) const {
    return feeder_.counters().refused[static_cast<size_t>(reason)];
  }

  const Sender client_ = MakeSender(ip_protocol::kTcp, 0x0a000001, 40000, 0x0a000002, 80);
  StreamFeeder feeder_;
};

TEST_F(FlowStreamsTest, EachDirectionHasItsBytesFromTheOneBehindTheSyn) {
  Handshake();
  Client(kAck, 1001, 9001, "hello ");
  Server(kAck, 9001, 1007, "good day");
  Client(kAck, 1007, 9009, "world");
  EXPECT_EQ(feeder_.bytes(0), "hello world");
  EXPECT_EQ(feeder_.bytes(1), "good day");
  const auto data = feeder_.Events(EventKind::kStreamData);
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data[0].offset, 0u);
  EXPECT_EQ(data[1].offset, 0u);
  EXPECT_EQ(data[2].offset, 6u);
}

TEST_F(FlowStreamsTest, BytesInOrderAreThoseOfTheFrame) {
  Handshake();
  const std::string payload = "borrowed";
  const uint8_t* seen = nullptr;
  feeder_.on_event = [&](const Event& event) { seen = event.data; };
  Client(kAck, 1001, 9001, "first");
  Client(kAck, 1006, 9001, payload);
  EXPECT_EQ(seen, reinterpret_cast<const uint8_t*>(payload.data()));
}

TEST_F(FlowStreamsTest, ASynCarriesTheFirstBytes) {  // RFC 7413
  Client(kSyn, 1000, 0, "early ");
  Server(kSyn | kAck, 9000, 1007);
  Client(kAck, 1007, 9001, "bird");
  EXPECT_EQ(feeder_.bytes(0), "early bird");
}

TEST_F(FlowStreamsTest, AStreamMayBeginInTheMiddle) {
  Client(kAck, 5000, 7000, "somewhere ");
  Client(kAck, 5010, 7000, "in between");
  EXPECT_EQ(feeder_.bytes(0), "somewhere in between");
  EXPECT_EQ(feeder_.Events(EventKind::kStreamData)[0].offset, 0u);
}

TEST_F(FlowStreamsTest, TheDirectionFollowsTheInitiatorOnceItIsKnown) {
  Server(kSyn | kAck, 9000, 1001);
  Client(kAck, 1001, 9001, "to the server");
  EXPECT_EQ(feeder_.bytes(0), "to the server");
}

TEST_F(FlowStreamsTest, AnEarlySegmentWaitsForTheMissingOne) {
  Handshake();
  Client(kAck, 1001, 9001, "one ");
  Client(kAck, 1009, 9001, "three");
  EXPECT_EQ(feeder_.bytes(0), "one ");
  EXPECT_EQ(feeder_.counters().buffered, 5u);
  Client(kAck, 1005, 9001, "two ");
  EXPECT_EQ(feeder_.bytes(0), "one two three");
  feeder_.Flush();
  EXPECT_EQ(feeder_.ended()[0].stream[0].out_of_order, 1u);
}

TEST_F(FlowStreamsTest, AHoleTheReceiverAcknowledgedIsGivenUpAfterTheGrace) {
  Handshake();
  Client(kAck, 1001, 9001, "one ");
  Client(kAck, 1009, 9001, "three");
  Server(kAck, 9001, 1014);
  EXPECT_EQ(feeder_.bytes(0), "one ");
  feeder_.Pass(kSecond);
  EXPECT_EQ(feeder_.bytes(0), "one [4]three");
  EXPECT_EQ(feeder_.Events(EventKind::kStreamHole)[0].reason, HoleReason::kAcknowledged);
}

TEST_F(FlowStreamsTest, DataBehindItsAcknowledgementIsNoHole) {
  Handshake();
  Client(kAck, 1001, 9001, "one ");
  Client(kAck, 1009, 9001, "three");
  Server(kAck, 9001, 1014);
  Client(kAck, 1005, 9001, "two ");
  EXPECT_EQ(feeder_.bytes(0), "one two three");
}

TEST_F(FlowStreamsTest, WhatWaitsComesWhenTheFlowEndsAndBeforeItsRecord) {
  Handshake();
  Client(kAck, 1005, 9001, "late");
  feeder_.Flush();
  EXPECT_EQ(feeder_.bytes(0), "[4]late");
  EXPECT_EQ(feeder_.events().back().kind, EventKind::kFlowEnded);
  ASSERT_EQ(feeder_.ended().size(), 1u);
  const FlowRecord& record = feeder_.ended()[0];
  EXPECT_TRUE(record.reassembled);
  EXPECT_EQ(record.stream[0].delivered, 4u);
  EXPECT_EQ(record.stream[0].lost, 4u);
  EXPECT_EQ(record.stream[1].delivered, 0u);
  EXPECT_EQ(feeder_.Events(EventKind::kStreamEnd)[0].end, StreamEnd::kFlow);
}

// RFC 6093 section 3: urgent data is part of the stream, in its place.
TEST_F(FlowStreamsTest, UrgentBytesStayInTheirPlace) {
  Handshake();
  Client(kAck, 1001, 9001, "on");
  Client(kAck | tcp_flag::kUrg, 1003, 9001, "URGENT");
  Client(kAck, 1009, 9001, "off");
  EXPECT_EQ(feeder_.bytes(0), "onURGENToff");
}

TEST_F(FlowStreamsTest, AFinEndsItsStreamAtOnce) {
  Handshake();
  Client(kAck, 1001, 9001, "bye");
  Client(kFin | kAck, 1004, 9001);
  const auto ends = feeder_.Events(EventKind::kStreamEnd);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].end, StreamEnd::kFin);
  EXPECT_EQ(ends[0].offset, 3u);
  feeder_.Flush();
  EXPECT_EQ(feeder_.Events(EventKind::kStreamEnd).size(), 1u);
}

TEST_F(FlowStreamsTest, AFinBeforeTheLastBytesWaitsForThem) {
  Handshake();
  Client(kAck, 1001, 9001, "one ");
  Client(kFin | kAck, 1009, 9001, "three");
  EXPECT_TRUE(feeder_.Events(EventKind::kStreamEnd).empty());
  Client(kAck, 1005, 9001, "two ");
  EXPECT_EQ(feeder_.bytes(0), "one two three");
  EXPECT_EQ(feeder_.Events(EventKind::kStreamEnd).size(), 1u);
}

TEST_F(FlowStreamsTest, AFinBeforeTheOnlyBytesWaitsForThem) {
  Handshake();
  Client(kFin | kAck, 1005, 9001);
  EXPECT_TRUE(feeder_.Events(EventKind::kStreamEnd).empty());
  Client(kAck, 1001, 9001, "only");
  EXPECT_EQ(feeder_.bytes(0), "only");
  ASSERT_EQ(feeder_.Events(EventKind::kStreamEnd).size(), 1u);
  EXPECT_EQ(feeder_.Events(EventKind::kStreamEnd)[0].end, StreamEnd::kFin);
}

TEST_F(FlowStreamsTest, AConnectionWithoutBytesHasNoStreams) {
  Handshake();
  Client(kFin | kAck, 1001, 9001);
  Server(kFin | kAck, 9001, 1002);
  feeder_.Flush();
  EXPECT_TRUE(feeder_.Events(EventKind::kStreamEnd).empty());
}

TEST_F(FlowStreamsTest, AnOldRstStopsNothing) {
  Handshake();
  Client(kAck, 1001, 9001, "before ");
  Client(kRst, 77, 0);
  Client(kAck, 1008, 9001, "and after");
  EXPECT_EQ(feeder_.bytes(0), "before and after");
}

TEST_F(FlowStreamsTest, AnAcceptedRstEndsBothStreams) {
  Handshake();
  Client(kAck, 1001, 9001, "to");
  Server(kAck, 9001, 1003, "fro");
  Client(kRst | kAck, 1003, 9004);
  feeder_.Flush();
  const auto ends = feeder_.Events(EventKind::kStreamEnd);
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[0].end, StreamEnd::kRst);
  EXPECT_EQ(ends[1].end, StreamEnd::kRst);
}

TEST_F(FlowStreamsTest, WhatARstCarriesIsNotPartOfTheStream) {
  Handshake();
  Client(kAck, 1001, 9001, "to");
  Client(kRst | kAck, 1003, 9001, "go away");
  feeder_.Flush();
  EXPECT_EQ(feeder_.bytes(0), "to");
  EXPECT_EQ(RefusedFor(Refused::kAfterEnd), 7u);
}

TEST_F(FlowStreamsTest, AReusedPortIsAnotherConnection) {
  Handshake();
  Client(kAck, 1001, 9001, "old");
  Client(kSyn, 0x60000000, 0);
  Server(kSyn | kAck, 0x90000000, 0x60000001);
  Client(kAck, 1004, 9001, "stray");
  Client(kAck, 0x60000001, 0x90000001, "new");
  feeder_.Flush();
  EXPECT_EQ(feeder_.bytes(0), "oldnew");
  EXPECT_EQ(RefusedFor(Refused::kOutOfWindow), 5u);
  ASSERT_EQ(feeder_.ended().size(), 2u);
  EXPECT_EQ(feeder_.ended()[0].stream[0].delivered, 3u);
  EXPECT_EQ(feeder_.ended()[1].stream[0].delivered, 3u);
}

TEST_F(FlowStreamsTest, ABypassedFlowIsNoLongerReassembled) {
  Handshake();
  Client(kAck, 1001, 9001, "seen");
  feeder_.tracker().Bypass(TheFlow(), true);
  Client(kAck, 1005, 9001, "unseen");
  EXPECT_EQ(feeder_.bytes(0), "seen");
  EXPECT_EQ(RefusedFor(Refused::kStopped), 6u);
}

TEST_F(FlowStreamsTest, OneDirectionMayBeStopped) {
  Handshake();
  Client(kAck, 1001, 9001, "seen");
  EXPECT_TRUE(feeder_.tracker().StopStream(TheFlow(), 0));
  Client(kAck, 1005, 9001, "unseen");
  Server(kAck, 9001, 1011, "answer");
  EXPECT_EQ(feeder_.bytes(0), "seen");
  EXPECT_EQ(feeder_.bytes(1), "answer");
}

TEST_F(FlowStreamsTest, TheDepthOfAFlowIsLimitedBeforeItsFirstByte) {
  Handshake();
  EXPECT_TRUE(feeder_.tracker().LimitDepth(TheFlow(), 0, 4));
  Client(kAck, 1001, 9001, "enough of this");
  EXPECT_EQ(feeder_.bytes(0), "enou");
  EXPECT_EQ(RefusedFor(Refused::kDepth), 10u);
}

TEST_F(FlowStreamsTest, WhatIsKeptStandsBeforeTheNextBytes) {
  Handshake();
  std::vector<std::string> seen;
  uint32_t kept = 0;
  feeder_.on_event = [&](const Event& event) {
    if (event.kind != EventKind::kStreamData) return;
    seen.emplace_back(reinterpret_cast<const char*>(event.data), event.size);
    kept = event.kept;
    if (seen.size() == 1) {
      EXPECT_TRUE(feeder_.tracker().Keep(event, 3));
    }
  };
  Client(kAck, 1001, 9001, "line one\nlin");
  Client(kAck, 1013, 9001, "e two");
  Client(kAck, 1018, 9001, "!");
  EXPECT_THAT(seen, ::testing::ElementsAre("line one\nlin", "line two", "!"));
  EXPECT_EQ(kept, 0u);
}

TEST_F(FlowStreamsTest, AConnectionWithoutRoomIsRefusedWholeAndCounted) {
  FlowOptions options = StreamFeeder::Options();
  options.streams->max_connections = 1;
  StreamFeeder feeder(options);
  const Sender other = MakeSender(ip_protocol::kTcp, 0x0a000003, 40000, 0x0a000002, 80);
  feeder.Send(client_, kAck, 1, 1, "here");
  feeder.Send(other, kAck, 1, 1, "nowhere");
  EXPECT_EQ(feeder.bytes(0), "here");
  EXPECT_EQ(feeder.counters().refused[static_cast<size_t>(Refused::kNoConnection)], 7u);
}

TEST_F(FlowStreamsTest, AWrongChecksumMovesNothingWhereItIsDropped) {
  FlowOptions options = StreamFeeder::Options();
  options.drop_bad_checksums = true;
  StreamFeeder feeder(options);
  feeder.Send(client_, kSyn, 1000, 0);
  feeder.Send(client_, kAck, 1001, 1, "false", packet_flag::kBadChecksum);
  feeder.Send(client_, kRst, 1001, 0, {}, packet_flag::kBadChecksum);
  feeder.Send(client_, kSyn, 5000, 0, {}, packet_flag::kBadChecksum);
  feeder.Send(client_, kAck, 1001, 1, "right");
  feeder.Flush();
  EXPECT_EQ(feeder.bytes(0), "right");
  EXPECT_EQ(feeder.counters().refused[static_cast<size_t>(Refused::kChecksum)], 5u);
  ASSERT_EQ(feeder.ended().size(), 1u);
  EXPECT_EQ(feeder.ended()[0].packets[0], 5u);
  EXPECT_EQ(feeder.ended()[0].tcp_flags[0], kSyn | kAck);
}

TEST_F(FlowStreamsTest, AWrongChecksumIsUsedOtherwise) {
  feeder_.Send(client_, kAck, 1001, 1, "used", packet_flag::kBadChecksum);
  EXPECT_EQ(feeder_.bytes(0), "used");
}

TEST_F(FlowStreamsTest, SegmentsComeRawInTheOrderOfTheWire) {
  FlowOptions options;
  options.max_flows = 64;
  StreamFeeder feeder(options, event_mask::kSegments);
  std::vector<std::string> seen;
  feeder.on_event = [&](const Event& event) {
    ASSERT_EQ(event.kind, EventKind::kSegment);
    seen.push_back(absl::StrCat(event.direction, ":", event.packet->tcp_seq));
  };
  feeder.Send(client_, kSyn, 1000, 0);
  feeder.Send(client_.Reverse(), kSyn | kAck, 9000, 1001);
  feeder.Send(client_, kAck, 1001, 9001);
  feeder.Send(client_, kAck, 1003, 9001, "cd");
  feeder.Send(client_, kAck, 1001, 9001, "ab");
  feeder.Send(client_.Reverse(), kRst, 9001, 0);
  EXPECT_THAT(seen, ::testing::ElementsAre("0:1000", "1:9000", "0:1003", "0:1001", "1:9001"));
}

TEST_F(FlowStreamsTest, WhatWaitsWhenTheEmbedderEndsAFlowIsRefused) {
  Handshake();
  Client(kAck, 1001, 9001, "told");
  Client(kAck, 1009, 9001, "never told");
  const auto record = feeder_.tracker().End(TheFlow());
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->stream[0].delivered, 4u);
  EXPECT_EQ(RefusedFor(Refused::kStopped), 10u);
  EXPECT_TRUE(feeder_.counters().Balanced());
}

// Whatever the mask: the buffer has room for so many ends, and for all that waits in streams.
TEST_F(FlowStreamsTest, ABatchEndsNoMoreFlowsThanTheBufferHasRoomFor) {
  constexpr uint32_t kFlows = 3000;
  FlowOptions options = StreamFeeder::Options();
  options.max_flows = kFlows;
  StreamFeeder feeder(options, event_mask::kStreams);
  for (uint32_t i = 0; i < kFlows; ++i) {
    Sender sender = client_;
    sender.source_port = static_cast<uint16_t>(1024 + i);
    feeder.Send(sender, kAck, 100, 1, "x");
    feeder.Send(sender.Reverse(), kAck, 1, 101, "y");
  }
  EventBuffer events(event_mask::kStreams, feeder.tracker().MostStreamEvents());
  size_t ends = 0;
  for (bool more = true; more;) {
    events.Clear();
    more = feeder.tracker().Flush(events);
    EXPECT_LE(events.events().size(), 2 * EventBuffer::kMostEnds);
    ends += events.events().size();
  }
  EXPECT_EQ(ends, 2 * size_t{kFlows});
}

TEST_F(FlowStreamsTest, MemoryComesBackWithTheFlowsEnd) {
  for (uint32_t port = 0; port < 500; ++port) {
    Sender sender = client_;
    sender.source_port = static_cast<uint16_t>(1024 + port);
    feeder_.Send(sender, kAck, 100, 1, "x");
    feeder_.Send(sender, kAck, 103, 1, "behind a hole");
  }
  feeder_.Flush();
  feeder_.Flush();
  EXPECT_EQ(feeder_.counters().buffered, 0u);
  EXPECT_EQ(feeder_.counters().memory_bytes, 0u);
  EXPECT_EQ(feeder_.ended().size(), 500u);
}

}  // namespace
}  // namespace weir
