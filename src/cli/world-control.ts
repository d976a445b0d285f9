import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { LifeboatError } from '../contract/index.js'

/** One operation of the world, as `GET <control>/state` lists it. */
export interface WorldOperation {
  readonly what: string
  readonly resource: string
  /** RFC 3339, the world's clock. */
  readonly startedAt: string
  readonly durationMs: number
}

export interface WorldState {
  readonly operations: readonly WorldOperation[]
  readonly violations: readonly string[]
}

/** Talks to a world's control address; it is no part of any cloud, and only rehearsals use it. */
export class WorldControl {
  readonly #url: string
  readonly #ca: string

  /** `caPath`: PEM file of the world's own authority. */
  constructor(url: string, caPath: string) {
    this.#url = url
    this.#ca = readFileSync(caPath, 'utf8')
  }

  async state(): Promise<WorldState> {
    return JSON.parse(await this.#call('GET', 'state')) as WorldState
  }

  async stop(): Promise<void> {
    await this.#call('POST', 'stop')
  }

  #call(method: string, path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void =>
        reject(new LifeboatError('world.gone', 'the simulated world does not answer', { cause, blame: 'tool' }))
      const call = request(`${this.#url}/${path}`, { method, ca: this.#ca }, (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => (body += part))
        answer.on('end', () => resolve(body))
        answer.on('error', fail)
      })
      call.on('error', fail)
      call.end()
    })
  }
}
