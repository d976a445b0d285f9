import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { forgetAmbient } from '../../src/platform/azure/ambient.js'
import { azureError, isNotFound } from '../../src/platform/azure/errors.js'
import { retryAfterMs } from '../../src/platform/azure/hints.js'
import { parseId, sameId, samePlace } from '../../src/platform/azure/ids.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { azureCloud, envOf, loadCloud, readReference } from '../../src/platform/cloud/load.js'
import { nfsHostCloudInit } from '../../src/steps/parts/nfs-host-cloud-init.js'
import { ended } from '../../src/steps/step.js'

const wire = (facts: Record<string, unknown>): Error => Object.assign(new Error('text'), facts)

describe('what an SDK throws', () => {
  it('is an absence only with Azure’s own code for one', () => {
    expect(isNotFound(wire({ statusCode: 404, code: 'ResourceNotFound' }))).toBe(true)
    expect(isNotFound(wire({ statusCode: 404 }))).toBe(false)
    expect(isNotFound(wire({ statusCode: 404, code: 'SubscriptionNotFound' }))).toBe(false)
  })

  it('loses its URLs, and what it holds of the request', () => {
    const error = azureError(
      Object.assign(wire({ statusCode: 500, request: { headers: { authorization: 'Bearer x' } } }), { message: 'at https://h/p?t=secret failed' }),
      'making it',
    )
    expect(error.message).toBe('making it: at (url) failed')
    expect(Object.keys(error.cause as object)).not.toContain('request')
  })

  it('is unreachable when no answer came in time', () => {
    expect(azureError(wire({ name: 'AbortError' }), 'reading')).toMatchObject({ code: 'azure.unreachable', retry: {} })
  })

  it.each(['EPROTO', 'EAI_FAIL', 'ERR_SSL_WRONG_VERSION_NUMBER', 'HPE_INVALID_CONSTANT'])('is unreachable by a code of Node itself: %s', (code) => {
    expect(azureError(wire({ code }), 'reading')).toMatchObject({ code: 'azure.unreachable', retry: {} })
    // What an operation ended with has its code in its text alone.
    expect(azureError(new Error('The long-running operation has failed. InternalExecutionError.'), 'making it')).toMatchObject({ code: 'azure.operation-failed' })
  })

  it('is no word of Azure’s where an SDK has stumbled over what was answered', () => {
    expect(azureError(new TypeError("Cannot read properties of undefined (reading 'value')"), 'reading')).toMatchObject({ code: 'azure.garbled', retry: {} })
  })

  it('is a want of capacity where a failed operation says so in its text alone', () => {
    const error = new Error('The long-running operation has failed. AllocationFailed. No capacity.')
    expect(azureError(error, 'making it')).toMatchObject({ code: 'azure.no-capacity', retry: undefined })
  })
})

describe('hints', () => {
  const from = (headers: Record<string, string>) => retryAfterMs((name) => headers[name])
  it('are taken in milliseconds first', () => {
    expect(from({ 'x-ms-retry-after-ms': '250', 'retry-after': '3' })).toBe(250)
    expect(from({ 'retry-after': '3' })).toBe(3000)
  })
  it('count for nothing when they are none', () => {
    expect([from({}), from({ 'retry-after': '0' }), from({ 'retry-after': 'soon' })]).toEqual([undefined, undefined, undefined])
  })
})

describe('ids and places', () => {
  it('are compared as Azure does', () => {
    expect(sameId('/subscriptions/A', '/Subscriptions/a')).toBe(true)
    expect(samePlace('West US 2', 'westus2')).toBe(true)
  })
  it('are taken apart, children too', () => {
    const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n'
    expect(parseId(id)).toEqual({ subscription: 's', group: 'g', type: 'Microsoft.Network/virtualNetworks/subnets', name: 'n' })
    expect(() => parseId('/subscriptions/s')).toThrow('no id of an Azure resource')
  })
})

describe('the ambient environment', () => {
  it('is forgotten where the SDKs would heed it, and nowhere else', () => {
    const environment = { AZURE_REGIONAL_AUTHORITY_NAME: 'x', MSAL_FORCE_REGION: 'x', https_proxy: 'x', NO_PROXY: 'x', PATH: 'p', LIFEBOAT_HELM: 'h' }
    forgetAmbient(environment)
    expect(environment).toEqual({ PATH: 'p', LIFEBOAT_HELM: 'h' })
  })
})

describe('the cloud file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-cloud-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const good = `
name: world
resourceManager: https://127.0.0.1:1
authority: https://127.0.0.1:1
tenant: t
credential: { kind: client-secret, clientId: c, secret: { file: secret } }
env: { KEY: { file: key }, NAME: plain }
`
  it('is read with paths relative to its own folder', async () => {
    write('secret', 'hush\n')
    const cloud = await loadCloud(write('good.yaml', good))
    expect(cloud.credential).toMatchObject({ secret: { file: join(folder, 'secret') } })
    expect(readReference({ file: join(folder, 'secret') }, {}).reveal()).toBe('hush')
  })
  it('is what env means, once it says so', async () => {
    const cloud = await loadCloud(write('good.yaml', good))
    const env = envOf(cloud, { HOME: '/home/me', NAME: 'other' })
    expect([env('NAME'), env('KEY'), env('HOME')]).toEqual(['plain', join(folder, 'key'), undefined])
    expect(envOf(azureCloud('AzurePublicCloud'), { HOME: '/home/me' })('HOME')).toBe('/home/me')
  })
  it('says plainly that there is no way by Azure Bastion', async () => {
    const path = write('bastion.yaml', `${good}reach: { ssh: [{ network: /n, via: bastion }] }\n`)
    await expect(loadCloud(path)).rejects.toMatchObject({ code: 'cloud.invalid', message: expect.stringContaining('Azure Bastion is not supported') as string })
  })
  it('is refused with every mistake named', async () => {
    const path = write('bad.yaml', 'name: x\nresourceManager: nowhere\nsurplus: 1\n')
    await expect(loadCloud(path)).rejects.toMatchObject({ code: 'cloud.invalid', message: expect.stringMatching(/resourceManager.*surplus/s) as string })
    await expect(loadCloud(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'cloud.unreadable' })
    expect(() => azureCloud('Elsewhere')).toThrow('there is no cloud Elsewhere')
  })
})

describe('the clock of a cloud', () => {
  it('runs from the world’s epoch at the world’s rate', () => {
    const real = new Date().toISOString()
    const clock = clockOf({ clock: { real, world: '2019-02-25T19:34:00Z', rate: 30 } })
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(Date.parse('2019-02-25T19:34:00Z'))
    expect(clock.now().getUTCFullYear()).toBe(2019)
    expect(clock.toReal(30_000)).toBe(1000)
  })
  it('wakes a sleeper as soon as the run must stop', async () => {
    const stop = new AbortController()
    const sleeping = clockOf({}).sleep(3_600_000, stop.signal)
    stop.abort(new Error('stop now'))
    await expect(sleeping).rejects.toThrow('stop now')
    await expect(clockOf({}).sleep(0, stop.signal)).rejects.toThrow('stop now')
  })
})

describe('waiting for an operation', () => {
  it('lets go as soon as the run is interrupted', async () => {
    const stop = new AbortController()
    const waiting = ended({ done: new Promise(() => undefined) }, stop.signal)
    stop.abort(new Error('interrupted'))
    await expect(waiting).rejects.toThrow('interrupted')
  })
  it('tells how it ended', async () => {
    const { signal } = new AbortController()
    await ended({ done: Promise.resolve() }, signal)
    await expect(ended({ done: Promise.reject(new Error('failed')) }, signal)).rejects.toThrow('failed')
  })
})

describe('cloud-init of an NFS host', () => {
  it('is YAML that installs ZFS and NFS and never imports a pool by itself', () => {
    const text = nfsHostCloudInit('nfsserver')
    expect(text.startsWith('#cloud-config\n')).toBe(true)
    const { packages, runcmd, hostname } = parse(text) as { packages: string[]; runcmd: string[][]; hostname: string }
    expect(hostname).toBe('nfsserver')
    expect(packages).toEqual(expect.arrayContaining(['zfs-dkms', 'zfsutils-linux', 'nfs-kernel-server']))
    expect(runcmd.some((line) => line.includes('disable') && line.includes('zfs-import-cache.service'))).toBe(true)
  })
})
