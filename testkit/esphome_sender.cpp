// packaging/esphome's sender on this machine: `sender HOST PORT KEY RATE_HZ` takes samples from standard input as
// scripts/send-microphone does, in blocks of 20 ms. It stands for the ESP32's socket and clock; the protocol is the component's.
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "sender.h"

static uint32_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int, char **arguments) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(std::atoi(arguments[2]));
  inet_pton(AF_INET, arguments[1], &to.sin_addr);
  uint8_t key[32];
  for (int i = 0; i < 32; i++)
    std::sscanf(arguments[3] + 2 * i, "%2hhx", &key[i]);
  const uint32_t rate_hz = std::atoi(arguments[4]);
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  earwitness::Sender sender(
      key, rate_hz, [](uint8_t *into, size_t bytes) { (void) !getrandom(into, bytes, 0); },
      [&](const uint8_t *datagram, size_t bytes) {
        sendto(udp, datagram, bytes, 0, reinterpret_cast<sockaddr *>(&to), sizeof to);
      });
  std::vector<uint8_t> block(2 * (rate_hz / 50));
  uint8_t datagram[128];
  while (std::fread(block.data(), 1, block.size(), stdin) == block.size()) {
    for (ssize_t bytes; (bytes = recv(udp, datagram, sizeof datagram, MSG_DONTWAIT)) > 0;)
      sender.understand(datagram, bytes, now_ms());
    sender.send(block.data(), block.size(), now_ms());
  }
  return 0;
}
