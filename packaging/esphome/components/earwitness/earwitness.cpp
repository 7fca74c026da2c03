#include "earwitness.h"

#include <algorithm>

#include "esphome/core/hal.h"
#include "esphome/core/log.h"

namespace esphome::earwitness_udp {

static const char *const TAG = "earwitness";

void EarwitnessMicrophone::setup() {
  const uint32_t rate_hz = this->source_->get_audio_stream_info().get_sample_rate();
  this->block_ = 2 * (rate_hz / 50);
  this->most_ = 2 * (rate_hz / 4);
  this->recorded_.reserve(this->most_);
  uint8_t key[32];
  if (!parse_hex(this->key_, key, sizeof key)) {
    this->mark_failed();
    return;
  }
  this->socket_ = socket::socket(AF_INET, SOCK_DGRAM, 0);
  this->to_length_ =
      socket::set_sockaddr(reinterpret_cast<sockaddr *>(&this->to_), sizeof this->to_, this->address_, this->port_);
  if (this->socket_ == nullptr || this->to_length_ == 0 || this->socket_->setblocking(false) != 0) {
    this->mark_failed();
    return;
  }
  this->sender_ = std::make_unique<::earwitness::Sender>(
      key, rate_hz, [](uint8_t *into, size_t bytes) { random_bytes(into, bytes); },
      [this](const uint8_t *datagram, size_t bytes) {
        // What is not sent now is lost, like any other datagram; its place is known by the sample clock.
        this->socket_->sendto(datagram, bytes, 0, reinterpret_cast<sockaddr *>(&this->to_), this->to_length_);
      });
  this->source_->add_data_callback([this](const std::vector<uint8_t> &samples) { this->record_(samples); });
  this->source_->start();
}

void EarwitnessMicrophone::record_(const std::vector<uint8_t> &samples) {
  LockGuard guard(this->mutex_);
  if (this->lost_ > 0 || this->recorded_.size() + samples.size() > this->most_) {
    this->lost_ += samples.size() / 2;
  } else {
    this->recorded_.insert(this->recorded_.end(), samples.begin(), samples.end());
  }
}

void EarwitnessMicrophone::loop() {
  this->listen_();
  this->send_();
  if (this->sender_->is_heard() != this->was_heard_) {
    this->was_heard_ = this->sender_->is_heard();
    ESP_LOGI(TAG, "%s", this->was_heard_ ? "It is heard" : "Nobody answers yet");
  }
}

void EarwitnessMicrophone::listen_() {
  uint8_t datagram[128];
  while (true) {
    const ssize_t bytes = this->socket_->read(datagram, sizeof datagram);
    if (bytes <= 0)
      return;
    this->sender_->understand(datagram, bytes, millis());
  }
}

void EarwitnessMicrophone::send_() {
  uint32_t lost;
  {
    LockGuard guard(this->mutex_);
    this->pending_.insert(this->pending_.end(), this->recorded_.begin(), this->recorded_.end());
    this->recorded_.clear();
    lost = this->lost_;
    this->lost_ = 0;
  }
  size_t sent = 0;
  // What was lost lies behind all that is pending, so its last short piece goes out before.
  while (this->pending_.size() - sent >= (lost > 0 ? 2 : this->block_)) {
    const size_t bytes = std::min(this->block_, this->pending_.size() - sent);
    this->sender_->send(this->pending_.data() + sent, bytes, millis());
    sent += bytes;
  }
  this->pending_.erase(this->pending_.begin(), this->pending_.begin() + sent);
  this->sender_->lose(lost);
}

void EarwitnessMicrophone::dump_config() {
  ESP_LOGCONFIG(TAG, "earwitness:\n  Receiver: %s, UDP port %u", this->address_, this->port_);
}

}  // namespace esphome::earwitness_udp
