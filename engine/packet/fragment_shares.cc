#include "engine/packet/fragment_shares.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <random>

namespace weir {

FragmentShares::FragmentShares(uint32_t max_datagrams, uint32_t max_pages)
    : slot_weight_(std::max(1u, max_pages / max_datagrams)),
      share_((uint64_t{slot_weight_} * max_datagrams + max_pages) / kShares),
      entries_(max_datagrams),
      senders_(max_datagrams),
      buckets_(std::bit_ceil(size_t{2} * max_datagrams), kNone),
      seed_(std::random_device()()) {
  free_senders_.reserve(max_datagrams);
  for (uint32_t i = max_datagrams; i-- > 0;) free_senders_.push_back(i);
}

void FragmentShares::Append(List& list, Link Entry::*link, uint32_t index) {
  entries_[index].*link = {.older = list.youngest};
  (list.youngest == kNone ? list.oldest : (entries_[list.youngest].*link).newer) = index;
  list.youngest = index;
}

void FragmentShares::Unlink(List& list, Link Entry::*link, uint32_t index) {
  const Link& gone = entries_[index].*link;
  (gone.older == kNone ? list.oldest : (entries_[gone.older].*link).newer) = gone.newer;
  (gone.newer == kNone ? list.youngest : (entries_[gone.newer].*link).older) = gone.older;
}

void FragmentShares::Add(uint32_t datagram, const SenderKey& key) {
  const uint32_t sender = FindOrAddSender(key);
  Entry& entry = entries_[datagram];
  entry = {.sender = sender};
  Append(senders_[sender].datagrams, &Entry::of_sender, datagram);
  Append(stages_[0].list, &Entry::of_stage, datagram);
  SetWeight(entry, slot_weight_);
}

void FragmentShares::Remove(uint32_t datagram) {
  Entry& entry = entries_[datagram];
  SetWeight(entry, 0);
  Unlink(StageOf(entry).list, &Entry::of_stage, datagram);
  Sender& sender = senders_[entry.sender];
  Unlink(sender.datagrams, &Entry::of_sender, datagram);
  if (sender.datagrams.oldest == kNone) RemoveSender(entry.sender);
}

void FragmentShares::Grew(uint32_t datagram, uint32_t pages, bool progress) {
  SetWeight(entries_[datagram], slot_weight_ + pages);
  if (progress) SetStage(datagram, true);
}

void FragmentShares::Emptied(uint32_t datagram) {
  SetWeight(entries_[datagram], slot_weight_);
  SetStage(datagram, false);
}

void FragmentShares::SetStage(uint32_t index, bool moved_on) {
  Entry& entry = entries_[index];
  Unlink(StageOf(entry).list, &Entry::of_stage, index);
  StageOf(entry).weight -= entry.weight;
  entry.moved_on = moved_on;
  StageOf(entry).weight += entry.weight;
  Append(StageOf(entry).list, &Entry::of_stage, index);
}

void FragmentShares::SetWeight(Entry& entry, uint32_t weight) {
  Sender& sender = senders_[entry.sender];
  sender.weight += weight - uint64_t{entry.weight};
  StageOf(entry).weight += weight - uint64_t{entry.weight};
  entry.weight = weight;
  const bool heavy = sender.weight > share_;
  if (heavy != (sender.heavy_place != kNone)) MarkHeavy(entry.sender, heavy);
}

void FragmentShares::MarkHeavy(uint32_t sender, bool heavy) {
  uint32_t& place = senders_[sender].heavy_place;
  if (heavy) {
    place = heavy_count_;
    heavy_[heavy_count_++] = sender;
    return;
  }
  const uint32_t last = heavy_[--heavy_count_];
  heavy_[place] = last;
  senders_[last].heavy_place = place;
  place = kNone;
}

uint32_t FragmentShares::Victim() const {
  if (heavy_count_ != 0) {
    const auto lighter = [this](uint32_t a, uint32_t b) {
      return senders_[a].weight < senders_[b].weight;
    };
    const uint32_t heaviest = *std::max_element(&heavy_[0], &heavy_[0] + heavy_count_, lighter);
    return senders_[heaviest].datagrams.oldest;
  }
  return stages_[stages_[1].weight > stages_[0].weight].list.oldest;
}

size_t FragmentShares::BucketOf(const SenderKey& key) const {
  return XXH3_64bits_withSeed(&key, key.size(), seed_) & (buckets_.size() - 1);
}

uint32_t FragmentShares::FindOrAddSender(const SenderKey& key) {
  uint32_t& bucket = buckets_[BucketOf(key)];
  for (uint32_t i = bucket; i != kNone; i = senders_[i].next_in_bucket) {
    if (senders_[i].key == key) return i;
  }
  const uint32_t index = free_senders_.back();  // no more senders than datagrams
  free_senders_.pop_back();
  Sender& sender = senders_[index];
  std::memcpy(&sender.key, &key, key.size());
  sender.next_in_bucket = bucket;
  bucket = index;
  return index;
}

void FragmentShares::RemoveSender(uint32_t index) {
  uint32_t* link = &buckets_[BucketOf(senders_[index].key)];
  while (*link != index) link = &senders_[*link].next_in_bucket;
  *link = senders_[index].next_in_bucket;
  free_senders_.push_back(index);
}

size_t FragmentShares::memory_bytes() const {
  return entries_.capacity() * sizeof(Entry) + senders_.capacity() * sizeof(Sender) +
         (free_senders_.capacity() + buckets_.capacity()) * sizeof(uint32_t);
}

}  // namespace weir
