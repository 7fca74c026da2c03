// Which icon stands for a sound.

const KINDS = {
  alarm: ["smoke_alarm", "co_alarm", "fire_alarm", "unknown_alarm", "low_battery_chirp", "siren", "car_alarm", "alarm_clock"],
  glass: ["glass_break", "dishes"],
  bang: ["gunshot", "explosion", "fireworks"],
  animal: ["dog_bark", "dog_whimper", "cat", "bird", "farm_animal", "insect"],
  water: ["water_running", "water_drip", "toilet_flush"],
  weather: ["thunder", "rain", "wind", "waves"],
  door: ["doorbell", "knock", "door_slam", "door_creak", "bell"],
  machine: ["vacuum_cleaner", "washing_machine", "power_tool", "appliance_beep", "crackling_fire", "keyboard_typing",
    "mouse_click", "clock_tick", "phone_ring"],
  vehicle: ["engine", "car_horn", "train", "aircraft"],
  music: ["music", "singing"],
  baby: ["baby_cry", "laughter"],
  voice: ["speech", "shout", "scream"],
  loud: ["loud_noise"],
};
const ICON = new Map(Object.entries(KINDS).flatMap(([name, labels]) => labels.map((label) => [label, name])));

/** @param {string} label */
export const iconOf = (label) => ICON.get(label) ?? "person";
