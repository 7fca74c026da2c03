// The sending side of docs/reference/udp-microphone.md: hello until somebody answers, then sound. It knows neither sockets
// nor ESPHome, only Mbed TLS, so that a test can run it on any machine. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>

#include "mbedtls/gcm.h"
#include "mbedtls/md.h"

namespace earwitness {

class Sender {
 public:
  using Transmit = std::function<void(const uint8_t *datagram, size_t bytes)>;
  using Random = std::function<void(uint8_t *into, size_t bytes)>;

  static constexpr size_t MOST_SOUND_BYTES = 2048;

  // `key` has 32 bytes. `random` must be fit for cryptography: a number that comes again would give the session away.
  Sender(const uint8_t *key, uint32_t rate_hz, Random random, Transmit transmit)
      : random_(std::move(random)), transmit_(std::move(transmit)), rate_hz_(rate_hz) {
    std::memcpy(this->key_, key, sizeof this->key_);
    for (auto *cipher : {&this->own_, &this->sound_, &this->received_})
      mbedtls_gcm_init(cipher);
    mbedtls_gcm_setkey(&this->own_, MBEDTLS_CIPHER_ID_AES, key, 256);
    this->begin_();
  }
  ~Sender() {
    for (auto *cipher : {&this->own_, &this->sound_, &this->received_})
      mbedtls_gcm_free(cipher);
  }
  Sender(const Sender &) = delete;
  Sender &operator=(const Sender &) = delete;

  // Whether somebody confirms what is sent.
  bool is_heard() const { return this->heard_; }

  // The next samples, 16 bits, little-endian, mono, at most MOST_SOUND_BYTES; `now_ms` of a clock that never goes back.
  void send(const uint8_t *pcm, size_t bytes, uint32_t now_ms) {
    if (this->heard_ && now_ms - this->confirmed_ms_ > UNCONFIRMED_MS)
      this->begin_();
    if (!this->heard_) {
      this->hello_(now_ms);
      return;
    }
    // Header, tag and sequence; what is sealed: sample clock and samples; the seal.
    size_t head = this->head_(SOUND);
    std::memcpy(this->out_.data() + head, this->tag_, 4);
    put_(this->out_.data() + head + 4, this->sequence_, 8);
    head += 12;
    put_(this->clear_.data(), this->clock_, 8);
    std::memcpy(this->clear_.data() + 8, pcm, bytes);
    uint8_t nonce[12] = {};
    put_(nonce + 4, this->sequence_, 8);
    this->seal_(&this->sound_, nonce, head, head, bytes + 8);
    this->sequence_++;
    this->clock_ += bytes / 2;
  }

  // The recorder has lost so many samples: what comes next is that much later.
  void lose(uint32_t samples) { this->clock_ += samples; }

  // What came back. A stranger's datagram changes nothing.
  void understand(const uint8_t *datagram, size_t bytes, uint32_t now_ms) {
    if (bytes < 5 || std::memcmp(datagram, MAGIC, 4) != 0)
      return;
    if (datagram[4] == CHALLENGE && bytes == 5 + 12 + 32 + SEAL && !this->heard_)
      this->challenged_(datagram, now_ms);
    else if (datagram[4] == RECEIVED && bytes == 5 + 12 + 8 + SEAL && this->heard_)
      this->confirmed_(datagram, now_ms);
  }

 protected:
  static constexpr char MAGIC[5] = "EWM1";
  static constexpr uint8_t HELLO = 1, CHALLENGE = 2, SOUND = 3, RECEIVED = 4;
  static constexpr size_t SEAL = 16;
  static constexpr uint32_t HELLO_EVERY_MS = 1000, UNCONFIRMED_MS = 4000;

  void begin_() {
    this->random_(this->numbers_, 16);
    this->heard_ = false;
    this->sequence_ = this->clock_ = 0;
  }

  void hello_(uint32_t now_ms) {
    if (this->said_ && now_ms - this->said_ms_ < HELLO_EVERY_MS)
      return;
    this->said_ = true;
    this->said_ms_ = now_ms;
    const size_t head = this->head_(HELLO);
    this->random_(this->out_.data() + head, 12);
    std::memset(this->clear_.data(), 0, 32);
    std::memcpy(this->clear_.data(), this->numbers_, 16);
    put_(this->clear_.data() + 16, this->rate_hz_, 4);
    this->seal_(&this->own_, this->out_.data() + head, head, head + 12, 32);
  }

  void challenged_(const uint8_t *datagram, uint32_t now_ms) {
    uint8_t body[32];
    const uint8_t *sealed = datagram + 17;
    if (mbedtls_gcm_auth_decrypt(&this->own_, 32, datagram + 5, 12, datagram, 5, sealed + 32, SEAL, sealed, body) != 0 ||
        std::memcmp(body, this->numbers_, 16) != 0)
      return;
    std::memcpy(this->numbers_ + 16, body + 16, 16);
    uint8_t digest[32];
    mbedtls_md(sha256_(), this->numbers_, 32, digest);
    std::memcpy(this->tag_, digest, 4);
    this->derive_(&this->sound_, "earwitness udp 1 sound");
    this->derive_(&this->received_, "earwitness udp 1 received");
    this->heard_ = true;
    this->confirmed_ms_ = now_ms;
  }

  void confirmed_(const uint8_t *datagram, uint32_t now_ms) {
    uint8_t nonce[12] = {}, body[8];
    std::memcpy(nonce + 4, datagram + 9, 8);
    const uint8_t *sealed = datagram + 17;
    if (std::memcmp(datagram + 5, this->tag_, 4) == 0 &&
        mbedtls_gcm_auth_decrypt(&this->received_, 8, nonce, 12, datagram, 17, sealed + 8, SEAL, sealed, body) == 0)
      this->confirmed_ms_ = now_ms;
  }

  // A key of the session: HKDF-SHA256, whose one block of 32 bytes is all that is needed.
  void derive_(mbedtls_gcm_context *cipher, const char *use) {
    uint8_t extracted[32], key[32], info[64];
    const size_t length = std::strlen(use);
    std::memcpy(info, use, length);
    info[length] = 1;
    mbedtls_md_hmac(sha256_(), this->numbers_, 32, this->key_, 32, extracted);
    mbedtls_md_hmac(sha256_(), extracted, 32, info, length + 1, key);
    mbedtls_gcm_setkey(cipher, MBEDTLS_CIPHER_ID_AES, key, 256);
  }

  size_t head_(uint8_t kind) {
    std::memcpy(this->out_.data(), MAGIC, 4);
    this->out_[4] = kind;
    return 5;
  }

  // Seals the first bytes of `clear_` behind `at` bytes of `out_`, of which `authenticated` are, and sends it all.
  void seal_(mbedtls_gcm_context *cipher, const uint8_t *nonce, size_t authenticated, size_t at, size_t bytes) {
    uint8_t *into = this->out_.data() + at;
    if (mbedtls_gcm_crypt_and_tag(cipher, MBEDTLS_GCM_ENCRYPT, bytes, nonce, 12, this->out_.data(), authenticated,
                                  this->clear_.data(), into, SEAL, into + bytes) == 0)
      this->transmit_(this->out_.data(), at + bytes + SEAL);
  }

  static void put_(uint8_t *into, uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; i--, value >>= 8)
      into[i] = static_cast<uint8_t>(value);
  }

  static const mbedtls_md_info_t *sha256_() { return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256); }

  Random random_;
  Transmit transmit_;
  uint32_t rate_hz_;
  uint8_t key_[32];
  uint8_t numbers_[32];  // ours, then theirs
  uint8_t tag_[4];
  mbedtls_gcm_context own_, sound_, received_;
  bool heard_{false}, said_{false};
  uint32_t said_ms_{0}, confirmed_ms_{0};
  uint64_t sequence_{0}, clock_{0};
  std::array<uint8_t, 8 + MOST_SOUND_BYTES> clear_;
  std::array<uint8_t, 17 + 8 + MOST_SOUND_BYTES + SEAL> out_;
};

}  // namespace earwitness
