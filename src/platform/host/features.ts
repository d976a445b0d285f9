import type { Question } from './ask.js'
import { failed, unreadable } from './run.js'

/** What a pool uses of what ZFS has learnt over the years (zpool-features(7)): who does not know one of them cannot import the pool. */
export const activeFeatures = (pool: string): Question<readonly string[]> => {
  const command = ['sudo', '-n', 'zpool', 'get', '-H', '-o', 'property,value', 'all', pool]
  return {
    command,
    read(result, { at }) {
      if (result.exitCode !== 0) throw failed(at, command, result)
      const features = result.stdout.split('\n').flatMap((line) => {
        const [, name, value] = /^feature@(\S+)\t(\S+)$/.exec(line) ?? []
        return name === undefined || value === undefined ? [] : [{ name, value }]
      })
      if (features.length === 0) throw unreadable(at, 'zpool get', result.stdout)
      return features.filter(({ value }) => value === 'active').map(({ name }) => name)
    },
  }
}

/** What the ZFS of a host knows. */
export const knownFeatures: Question<readonly string[]> = {
  command: ['sudo', '-n', 'zpool', 'upgrade', '-v'],
  read(result, { at }) {
    if (result.exitCode !== 0) throw failed(at, knownFeatures.command, result)
    const features = parseFeatures(result.stdout)
    if (features.length === 0) throw unreadable(at, 'zpool upgrade', result.stdout)
    return features
  },
}

/** The names between the line under `FEAT DESCRIPTION` and the versions of old; each has its description, indented, below. */
export function parseFeatures(text: string): readonly string[] {
  const [, list = ''] = text.split(/^FEAT\b.*\n-+\n/m)
  const [features = ''] = list.split(/^The following legacy versions/m)
  return features.split('\n').flatMap((line) => /^([a-z0-9_.:]+)(?: .*)?$/.exec(line)?.[1] ?? [])
}
