/** How often what happens while there is trouble: probabilities, each of one request, operation, program or life, as it says. */
export interface Weather {
  /** Milliseconds of the world before which only what happens `once` does: what troubles a plan at once never sees a failover. */
  readonly fromMs: number
  /** At most so many milliseconds between a request and its answer, also when nothing is wrong any more. */
  readonly latencyMs: number
  readonly requests: {
    readonly throttled: number
    readonly failing: number
    readonly resets: number
    readonly lostReplies: number
    /** Of a write: that its connection breaks, and it arrives later all the same. */
    readonly late: number
    readonly slow: number
    /** That a machine falls silent for some minutes. */
    readonly silentHosts: number
    /** Of a write to a DNS record: that somebody else has written to it right before. */
    readonly touchedRecords: number
  }
  readonly operations: {
    readonly failing: number
    readonly long: number
    /** Twenty times as long: whoever waits for it gives up. */
    readonly hanging: number
  }
  readonly programs: {
    /** Of helm: that the system ends it. */
    readonly killed: number
    /** Of ssh: that its connection breaks. */
    readonly cutOff: number
  }
  /** Of a life: that the machine's clock is off, by minutes, and that it is set by hours in its midst. */
  readonly clocks: { readonly off: number; readonly jumping: number }
  /** What happens once, after so many milliseconds; undefined: not at all. */
  readonly once: {
    /** The machines that were there at the start answer nobody from then on, for so long. */
    readonly oldServersSilent?: { readonly atMs: number; readonly forMs: number } | undefined
    /** Somebody starts an old server again that was deallocated, so long after that. */
    readonly startedAgain?: { readonly afterMs: number } | undefined
    /** Others have used up the quota, until there is no trouble any more. */
    readonly quotaGone?: { readonly atMs: number } | undefined
    /** A colleague begins the same failover on another machine. */
    readonly colleague?: { readonly atMs: number } | undefined
  }
}

/** Draws a weather: most kinds of trouble are rare, a few are frequent, some are not there at all. */
export function drawWeather(random: () => number): Weather {
  const rare = (most: number): number => (random() < 0.35 ? 0 : random() ** 2 * most)
  const once = <T>(probability: number, drawn: () => T): T | undefined => (random() < probability ? drawn() : undefined)
  const within = (most: number): number => random() * most
  return {
    fromMs: random() < 0.6 ? within(45 * minutes) : 0,
    latencyMs: usualLatencyMs * 2 ** (random() < 0.5 ? 0 : random() * slowestLine),
    requests: {
      throttled: rare(0.08),
      failing: rare(0.08),
      resets: rare(0.06),
      lostReplies: rare(0.08),
      late: rare(0.08),
      slow: rare(0.1),
      silentHosts: rare(0.01),
      touchedRecords: rare(0.8),
    },
    operations: { failing: rare(0.25), long: rare(0.4), hanging: rare(0.05) },
    programs: { killed: rare(0.3), cutOff: rare(0.1) },
    clocks: { off: rare(1), jumping: rare(0.6) },
    once: {
      oldServersSilent: once(0.25, () => ({ atMs: within(20 * minutes), forMs: 5 * minutes + within(4 * hours) })),
      startedAgain: once(0.3, () => ({ afterMs: within(6 * minutes) })),
      quotaGone: once(0.1, () => ({ atMs: within(10 * minutes) })),
      // Some begin at the same moment: they have been woken by the same alarm.
      colleague: once(0.25, () => ({ atMs: random() < 0.3 ? within(minutes) : within(60 * minutes) })),
    },
  }
}

/** A good line; and how often the slowest one doubles that: to 8 s, so that a lot happens between a look and what is written after it. */
const usualLatencyMs = 240
const slowestLine = 5

const minutes = 60_000
const hours = 60 * minutes
