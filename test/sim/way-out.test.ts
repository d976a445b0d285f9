import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostShell } from '../../src/sim/hosts/shell.js'
import { machineType, networkType, properties, putInterface, machineBodyFor, startTestWorld, storageCloudInit, type Answer, type TestWorld } from '../helpers/world.js'

const gatewayType = 'Microsoft.Network/natGateways'
const addressType = 'Microsoft.Network/publicIPAddresses'
const standard = { name: 'Standard' }

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld((spec) => ({ ...spec, groups: [...spec.groups, { name: 'images', tags: {} }], preparedImages: images(spec.subscription) }))
  world.world.shell = hostShell(world.world)
  world.addGroup('data100-network')
})
afterEach(() => world.stop())

const images = (subscription: string): string[] => {
  const provider = `/subscriptions/${subscription}/resourceGroups/images/providers/Microsoft.Compute`
  return [`${provider}/images/nfs-server`, `${provider}/galleries/ours/images/nfs-server/versions/1.4.0`]
}

const network = (): string => world.id('data100-network', networkType, 'data100')
const gateway = (): string => world.id('data100-network', gatewayType, 'out')
const address = (name = 'out'): string => world.id('data100-network', addressType, name)
const settle = (): void => world.clock.advance(60_000)
const codeOf = ({ status, code }: Answer): unknown[] => [status, code]

const putAddress = (name = 'out', changes: object = {}): Promise<Answer> =>
  world.send('PUT', address(name), { location: 'westus2', sku: standard, properties: { publicIPAllocationMethod: 'Static' }, ...changes })
const putGateway = (publicIpAddresses: readonly object[] = [{ id: address() }], changes: object = {}): Promise<Answer> =>
  world.send('PUT', gateway(), { location: 'westus2', sku: standard, properties: { publicIpAddresses }, ...changes })

/** A network whose one subnet has these properties besides. */
async function putNetwork(of: object = {}): Promise<Answer> {
  const subnets = [{ name: 'nfs', properties: { addressPrefix: '10.240.0.0/28', ...of } }]
  const answer = await world.send('PUT', network(), { location: 'westus2', properties: { addressSpace: { addressPrefixes: ['10.240.0.0/16'] }, subnets } })
  settle()
  return answer
}

/** A new server, long after it was made; answers its id. */
async function serverOf(image: object = {}): Promise<string> {
  const nic = await putInterface(world, network(), '10.240.0.7')
  settle()
  const id = world.id('data100-nfs', machineType, 'nfsserver')
  const body = machineBodyFor(String(nic.body['id']), storageCloudInit) as { properties: { storageProfile: object } }
  Object.assign(body.properties.storageProfile, image)
  await world.send('PUT', id, body)
  for (let minute = 0; minute < 10; minute += 1) settle()
  return id
}

async function says(machine: string, script: string): Promise<string> {
  return (await world.world.shell(machine, script)).stdout
}

describe('a machine in a new subnet', () => {
  test('A120: has no way out, and its packages never come: it is up, and cloud-init ends in an error', async () => {
    await putNetwork()
    expect(properties(await world.send('GET', `${network()}/subnets/nfs`))['defaultOutboundAccess']).toBe(false)
    const machine = await serverOf()
    expect(world.world.answers(machine)).toBe(true)
    expect(await says(machine, 'cloud-init status --long')).toMatch(/^status: error\n[^]*package_update_upgrade_install/)
    expect(await says(machine, 'test -e /usr/sbin/zpool || echo none')).toBe('none\n')
  })

  test('A120: forgets at its next start that anything failed, and is none the better for it', async () => {
    await putNetwork()
    const machine = await serverOf()
    await world.send('POST', `${machine}/deallocate`)
    settle()
    await world.send('POST', `${machine}/start`)
    for (let minute = 0; minute < 10; minute += 1) settle()
    expect(await says(machine, 'cloud-init status; test -d /sys/module/zfs || echo none')).toBe('status: done\nnone\n')
  })

  test.each([
    ['a subnet that says that it is not private', async () => void (await putNetwork({ defaultOutboundAccess: true }))],
    [
      'a NAT gateway with an address',
      async () => {
        await putAddress()
        settle()
        await putGateway()
        settle()
        await putNetwork({ natGateway: { id: gateway() } })
      },
    ],
  ])('A120: has its packages by %s', async (_what, prepare) => {
    await prepare()
    const machine = await serverOf()
    expect(await says(machine, 'cloud-init status; test -d /sys/module/zfs && echo zfs')).toBe('status: done\nzfs\n')
  })

  test('A120: has none by a NAT gateway without an address', async () => {
    await putGateway([])
    settle()
    await putNetwork({ natGateway: { id: gateway() } })
    expect(await says(await serverOf(), 'cloud-init status')).toBe('status: error\n')
  })
})

describe('a machine from an image of one’s own', () => {
  test.each([0, 1])('A123: has its packages without a way out, and soon (%i)', async (at) => {
    await putNetwork()
    const id = images(world.subscription)[at]
    const machine = await serverOf({ imageReference: { id } })
    expect(await says(machine, 'cloud-init status; test -d /sys/module/zfs && echo zfs')).toBe('status: done\nzfs\n')
    const first = world.world.operations.find(({ what }) => what === 'first boot')
    expect(first?.durationMs).toBe(world.world.durationOf('boot'))
  })

  test('A123: is refused where there is no such image', async () => {
    await putNetwork({ defaultOutboundAccess: true })
    const nic = await putInterface(world, network(), '10.240.0.7')
    settle()
    const codes = await Promise.all(
      images(world.subscription).map(async (id, at) => {
        const body = machineBodyFor(String(nic.body['id']), storageCloudInit) as { properties: { storageProfile: object } }
        Object.assign(body.properties.storageProfile, { imageReference: { id: `${id}-none` } })
        return codeOf(await world.send('PUT', world.id('data100-nfs', machineType, `m${at}`), body))
      }),
    )
    expect(codes).toEqual([[404, 'ResourceNotFound'], [404, 'GalleryImageNotFound']])
  })
})

test('A120: a subnet that was there keeps its way out when it is put again', async () => {
  const old = [...world.world.ofType(networkType)].find(({ name }) => name === 'aks-vnet')!.id
  await world.send('PUT', `${old}/subnets/aks-subnet`, { properties: { addressPrefix: '10.240.0.0/16' } })
  expect(properties(await world.send('GET', `${old}/subnets/aks-subnet`))).not.toHaveProperty('defaultOutboundAccess')
})

describe('a public address', () => {
  test('A121: is Standard and static; the Basic one that a body without SKU asks for is no more', async () => {
    expect(codeOf(await putAddress('a', { sku: undefined }))).toEqual([400, 'IPv4BasicSkuPublicIpCountLimitReached'])
    expect((await putAddress('a', { properties: { publicIPAllocationMethod: 'Dynamic' } })).status).toBe(400)
  })

  test('A121: is counted, and one too many is refused', async () => {
    const usages = `/subscriptions/${world.subscription}/providers/Microsoft.Network/locations/westus2/usages`
    const [counted] = (await world.send('GET', usages)).body['value'] as { name: { value: string }; currentValue: number; limit: number }[]
    expect(counted).toMatchObject({ name: { value: 'StandardSkuPublicIpAddresses' }, currentValue: 2, limit: 1000 })
    world.world.spec.quota['StandardSkuPublicIpAddresses'] = 3
    expect((await putAddress('a')).status).toBe(201)
    expect(codeOf(await putAddress('b'))).toEqual([400, 'PublicIPCountLimitReached'])
  })
})

describe('a NAT gateway', () => {
  test('A122: takes only what is there, finished, near it and nobody else’s', async () => {
    expect(codeOf(await putGateway([{ id: address('none') }]))).toEqual([400, 'InvalidResourceReference'])
    await putAddress('zonal', { zones: ['2'] })
    expect(codeOf(await putGateway([{ id: address('zonal') }]))).toEqual([409, 'ReferencedResourceNotProvisioned'])
    settle()
    expect((await putGateway([{ id: address('zonal') }], { zones: ['1'] })).status).toBe(400)
    expect((await putGateway([{ id: address('zonal') }], { sku: undefined })).status).toBe(400)
    expect((await putGateway([{ id: address('zonal') }])).status).toBe(201)
    settle()
    const another = world.id('data100-network', gatewayType, 'another')
    const body = { location: 'westus2', sku: standard, properties: { publicIpAddresses: [{ id: address('zonal') }] } }
    expect(codeOf(await world.send('PUT', another, body))).toEqual([400, 'PublicIPAddressInUse'])
    expect(properties(await world.send('GET', address('zonal')))['natGateway']).toEqual({ id: gateway() })
  })

  test('A122: must be finished before a subnet names it, and cannot go while one does; nor can its address while it is there', async () => {
    await putAddress()
    settle()
    await putGateway()
    expect(codeOf(await putNetwork({ natGateway: { id: gateway() } }))).toEqual([409, 'ReferencedResourceNotProvisioned'])
    settle()
    expect((await putNetwork({ natGateway: { id: gateway() } })).status).toBe(201)
    expect((await world.send('DELETE', gateway())).status).toBe(400)
    expect((await world.send('DELETE', address())).status).toBe(400)
    await world.send('DELETE', network())
    settle()
    expect((await world.send('DELETE', gateway())).status).toBe(202)
    settle()
    expect((await world.send('DELETE', address())).status).toBe(202)
  })
})
