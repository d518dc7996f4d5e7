// Moments and durations as people read them, in their own time zone.

function padded(number) {
  return String(number).padStart(2, "0");
}

/** 14:03:05; with the day where it is not today. */
export function clock(seconds, withSeconds = true) {
  const at = new Date(seconds * 1000);
  const time = [at.getHours(), at.getMinutes(), ...(withSeconds ? [at.getSeconds()] : [])];
  const text = time.map(padded).join(":");
  if (at.toDateString() === new Date().toDateString()) return text;
  return `${at.getFullYear()}-${padded(at.getMonth() + 1)}-${padded(at.getDate())} ${text}`;
}

/** 45 s, 12 min, 3 h, 2 d. */
export function duration(seconds) {
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 120) return `${rounded} s`;
  if (rounded < 7200) return `${Math.round(rounded / 60)} min`;
  if (rounded < 172800) return `${Math.round(rounded / 3600)} h`;
  return `${Math.round(rounded / 86400)} d`;
}

/** Ticks of a time axis: short where they can be. */
export function tickTexts(ticks) {
  const apart = ticks.length > 1 ? ticks[1] - ticks[0] : 60;
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    const minutes = `${padded(at.getHours())}:${padded(at.getMinutes())}`;
    if (apart < 60) return `${minutes}:${padded(at.getSeconds())}`;
    if (apart < 86400) return minutes;
    return `${padded(at.getMonth() + 1)}-${padded(at.getDate())}`;
  });
}
