// An ESPHome component that sends a microphone's sound to an earwitness source of `type: udp`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "esphome/components/microphone/microphone_source.h"
#include "esphome/components/socket/socket.h"
#include "esphome/core/component.h"
#include "esphome/core/helpers.h"

#include "sender.h"

namespace esphome::earwitness_udp {

class EarwitnessMicrophone : public Component {
 public:
  void set_microphone_source(microphone::MicrophoneSource *source) { this->source_ = source; }
  void set_receiver(const char *address, uint16_t port) {
    this->address_ = address;
    this->port_ = port;
  }
  // 64 hexadecimal digits.
  void set_key(const std::string &key) { this->key_ = key; }

  void setup() override;
  void loop() override;
  void dump_config() override;
  float get_setup_priority() const override { return setup_priority::AFTER_WIFI; }

 protected:
  void record_(const std::vector<uint8_t> &samples);  // in the microphone's own task
  void listen_();
  void send_();

  microphone::MicrophoneSource *source_{nullptr};
  const char *address_{""};
  uint16_t port_{0};
  std::string key_;
  std::unique_ptr<socket::Socket> socket_;
  struct sockaddr_storage to_ {};
  socklen_t to_length_{0};
  std::unique_ptr<::earwitness::Sender> sender_;
  bool was_heard_{false};

  Mutex mutex_;                   // for the next two
  std::vector<uint8_t> recorded_;
  uint32_t lost_{0};              // samples for which there was no room

  std::vector<uint8_t> pending_;
  size_t block_{0}, most_{0};     // bytes of 20 ms, and of a quarter of a second
};

}  // namespace esphome::earwitness_udp
