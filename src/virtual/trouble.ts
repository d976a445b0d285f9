/** What happens to one request on its way. */
export type WireTrouble =
  /** Refused before it is looked at. `retryAfterSeconds` and `retryAfterMs` as their headers say it, in the machine's own time. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message?: string; readonly retryAfterSeconds?: number; readonly retryAfterMs?: number }
  /** The connection breaks before it comes through. */
  | { readonly kind: 'reset' }
  /** It is carried out, and the answer is lost. */
  | { readonly kind: 'reply-lost' }
  /**
   * The connection breaks at once for whoever asked, and a proxy or a balancer on the way still has the request: it arrives that many
   * milliseconds of the world later, and is carried out then. `arrives` is told so.
   */
  | { readonly kind: 'late'; readonly ms: number; arrives?(): void }
  /** Its answer takes that many milliseconds of the world longer. */
  | { readonly kind: 'slow'; readonly ms: number }

/** What happens to one program on the operator's machine, that many milliseconds of the world after it has begun to work. */
export interface ProgramTrouble {
  /** Ended by the system, which is out of memory; or its connection breaks, and what it has begun on a host goes on. */
  readonly kind: 'killed' | 'cut-off'
  readonly afterMs: number
  /** Asked when that time has come and the program is still at work; false: it befalls another one. */
  strikes?(): boolean
}

/** What befalls whatever a machine asks of a world: decided request by request, program by program. */
export interface Trouble {
  onRequest(method: string, path: string): WireTrouble | undefined
  /** `name`: of the program's file. */
  onProgram?(name: string): ProgramTrouble | undefined
}

export const noTrouble: Trouble = { onRequest: () => undefined }
