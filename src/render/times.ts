const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

/**
 * A duration for people: `0s`, `45s`, `3m10s`, `41m`, `1h05m`. Rounded to the second, from an hour on to the minute.
 * Negative durations count as none.
 */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < secondMs / 2) return '0s'
  const roundTo = ms >= hourMs - secondMs / 2 ? minuteMs : secondMs
  const rounded = Math.round(ms / roundTo) * roundTo
  const hours = Math.floor(rounded / hourMs)
  const minutes = Math.floor((rounded % hourMs) / minuteMs)
  const seconds = Math.floor((rounded % minuteMs) / secondMs)
  if (hours > 0) return `${hours}h${minutes === 0 ? '' : `${pad(minutes)}m`}`
  if (minutes > 0) return `${minutes}m${seconds === 0 ? '' : `${pad(seconds)}s`}`
  return `${seconds}s`
}

/** How far into a run: `+03:20`, from an hour on `+1:03:20`. */
export function formatOffset(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / secondMs))
  const hours = Math.floor(seconds / 3600)
  const rest = `${pad(Math.floor((seconds % 3600) / 60))}:${pad(seconds % 60)}`
  return `+${hours > 0 ? `${hours}:` : ''}${rest}`
}

/** Local times for people: machines get RFC 3339 UTC. `timeZone` is an IANA name; without it, this machine's. */
export class LocalTimes {
  readonly #timeZone: string | undefined
  /** Making one costs a hundred times what using it does. */
  readonly #formats = new Map<string, Intl.DateTimeFormat>()

  constructor(timeZone?: string) {
    this.#timeZone = timeZone
  }

  /** `12:40:03`. */
  time(at: Date | string): string {
    return this.#format(at, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
  }

  /** `12:40`. */
  minute(at: Date | string): string {
    return this.time(at).slice(0, 5)
  }

  /** `2019-02-25`. */
  date(at: Date | string): string {
    // Canada writes dates as ISO 8601 does.
    return this.#format(at, { year: 'numeric', month: '2-digit', day: '2-digit' }, 'en-CA')
  }

  /** `2019-02-25 12:40:03 GMT-8`. */
  full(at: Date | string): string {
    return `${this.date(at)} ${this.time(at)} ${this.zone(at)}`
  }

  /** `GMT-8`, `UTC`. */
  zone(at: Date | string): string {
    const parts = this.#formatOf({ timeZoneName: 'short' }, 'en-GB').formatToParts(new Date(at))
    return parts.find((part) => part.type === 'timeZoneName')?.value ?? 'local'
  }

  #format(at: Date | string, options: Intl.DateTimeFormatOptions, locale = 'en-GB'): string {
    const date = new Date(at)
    return Number.isNaN(date.getTime()) ? String(at) : this.#formatOf(options, locale).format(date)
  }

  #formatOf(options: Intl.DateTimeFormatOptions, locale: string): Intl.DateTimeFormat {
    const key = JSON.stringify([locale, options])
    const known = this.#formats.get(key)
    if (known !== undefined) return known
    const zone = this.#timeZone === undefined ? {} : { timeZone: this.#timeZone }
    const made = new Intl.DateTimeFormat(locale, { ...options, ...zone })
    this.#formats.set(key, made)
    return made
  }
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
