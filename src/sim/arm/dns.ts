import { isIPv4, isIPv6 } from 'node:net'
import { parseId, resourceId } from '../world/ids.js'
import type { DnsRecordSet, Resource } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { caaOf } from '../dns/caa.js'
import { bodyOf } from './bodies.js'
import { removeResource } from './remove.js'
import { list, ok, record, records, tagsOf, textOf, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

const type = 'Microsoft.Network/dnszones'
const zones = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${type}`
const zone = `${zones}/{zone}`
const set = `${zone}/{type}/{name}`

/** DNS zones and their record sets. Record writes answer at once; name servers follow after `dns`. */
export const dnsRoutes: readonly Route[] = [
  { method: 'GET', pattern: `/subscriptions/{subscription}/providers/${type}`, handle: ({ world }) => list(world.ofType(type).map((one) => zoneBody(world, one))) },
  { method: 'GET', pattern: zones, handle: listZones },
  { method: 'GET', pattern: zone, handle: (request) => ok(zoneBody(request.world, zoneOf(request))) },
  { method: 'PUT', pattern: zone, handle: putZone },
  { method: 'DELETE', pattern: zone, handle: deleteZone },
  { method: 'GET', pattern: `${zone}/recordsets`, handle: (request) => listSets(request) },
  { method: 'GET', pattern: `${zone}/all`, handle: (request) => listSets(request) },
  { method: 'GET', pattern: `${zone}/{type}`, handle: (request) => listSets(request, request.params['type']) },
  { method: 'GET', pattern: set, handle: getSet },
  { method: 'PUT', pattern: set, handle: putSet },
  { method: 'PATCH', pattern: set, handle: putSet },
  { method: 'DELETE', pattern: set, handle: deleteSet },
]

/** For each type: its field on the wire, and how one value of the world stands in it. */
interface Shape {
  readonly field: string
  /** True where there is one record only, not a list. */
  readonly one?: true
  readonly write: (value: string) => unknown
  readonly read: (entry: Record<string, unknown>) => string | undefined
}

const shapes: Readonly<Record<string, Shape>> = {
  A: { field: 'ARecords', write: (value) => ({ ipv4Address: value }), read: (entry) => checked(entry['ipv4Address'], isIPv4) },
  AAAA: { field: 'AAAARecords', write: (value) => ({ ipv6Address: value }), read: (entry) => checked(entry['ipv6Address'], isIPv6) },
  CNAME: { field: 'CNAMERecord', one: true, write: (value) => ({ cname: value }), read: (entry) => textOf(entry['cname']) },
  CAA: { field: 'caaRecords', write: (value) => caaOf(value), read: (entry) => `${String(entry['flags'])} ${String(entry['tag'])} "${String(entry['value'])}"` },
  NS: { field: 'NSRecords', write: (value) => ({ nsdname: value }), read: (entry) => textOf(entry['nsdname']) },
  TXT: {
    field: 'TXTRecords',
    write: (value) => ({ value: value.match(/.{1,255}/g) ?? [''] }),
    read: (entry) => (Array.isArray(entry['value']) ? entry['value'].map(String).join('') : undefined),
  },
}

function checked(value: unknown, isOne: (text: string) => boolean): string | undefined {
  return typeof value === 'string' && isOne(value) ? value : undefined
}

function zoneOf({ world, params }: ArmRequest): Resource {
  const group = world.group(params['group'] ?? '')?.name ?? ''
  const id = resourceId(world.spec.subscription, group, type, params['zone'] ?? '')
  const found = world.resource(id)
  if (!found) throw new WorldError(404, 'ResourceNotFound', `The Resource '${type}/${params['zone'] ?? ''}' under resource group '${group}' was not found.`)
  return found
}

function listZones({ world, params }: ArmRequest): ArmAnswer {
  const group = (params['group'] ?? '').toLowerCase()
  return list(world.ofType(type).filter((one) => parseId(one.id)?.group.toLowerCase() === group).map((one) => zoneBody(world, one)))
}

function zoneBody(world: World, one: Resource): unknown {
  const body = bodyOf(one)
  const numberOfRecordSets = world.recordSets.filter((each) => each.zone.toLowerCase() === one.name.toLowerCase()).length
  return { ...body, properties: { ...one.properties, numberOfRecordSets } }
}

function putZone({ world, params, body }: ArmRequest): ArmAnswer {
  const name = params['zone'] ?? ''
  const id = resourceId(world.spec.subscription, world.group(params['group'] ?? '')?.name ?? '', type, name)
  const before = world.resource(id)
  if (textOf(body['location'])?.toLowerCase() !== 'global') {
    throw new WorldError(400, 'LocationNotAvailableForResourceType', "A DNS zone's location is 'global'.")
  }
  const nameServers = before?.properties['nameServers'] ?? ['ns1-01.azure-dns.com', 'ns2-01.azure-dns.net']
  world.put({
    id: before?.id ?? id,
    name: before?.name ?? name,
    type,
    location: 'global',
    tags: tagsOf(body['tags']),
    etag: world.unique(name),
    properties: { nameServers, zoneType: 'Public', maxNumberOfRecordSets: 10_000 },
  })
  const made = world.resource(id)
  return { status: before ? 200 : 201, body: made && zoneBody(world, made) }
}

function deleteZone(request: ArmRequest): ArmAnswer {
  removeResource(request.world, zoneOf(request))
  return { status: 200 }
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

function find(world: World, zoneName: string, recordType: string, name: string): DnsRecordSet | undefined {
  return world.recordSets.find((one) => same(one.zone, zoneName) && same(one.type, recordType) && same(one.name, name))
}

function listSets(request: ArmRequest, recordType?: string): ArmAnswer {
  const owner = zoneOf(request)
  const all = request.world.recordSets.filter((one) => same(one.zone, owner.name))
  return list(all.filter((one) => recordType === undefined || same(one.type, recordType)).map((one) => setBody(owner, one)))
}

function getSet(request: ArmRequest): ArmAnswer {
  const owner = zoneOf(request)
  const found = find(request.world, owner.name, request.params['type'] ?? '', request.params['name'] ?? '')
  if (!found) throw new WorldError(404, 'NotFound', `The resource record '${request.params['name'] ?? ''}' does not exist in resource group.`)
  return ok(setBody(owner, found), { etag: found.etag })
}

function setBody(owner: Resource, one: DnsRecordSet): unknown {
  const shape = shapes[one.type.toUpperCase()]
  const values = shape ? { [shape.field]: shape.one ? shape.write(one.values[0] ?? '') : one.values.map(shape.write) } : {}
  return {
    id: `${owner.id}/${one.type}/${one.name}`,
    name: one.name,
    type: `${type}/${one.type}`,
    etag: one.etag,
    properties: {
      metadata: one.metadata,
      fqdn: one.name === '@' ? `${owner.name}.` : `${one.name}.${owner.name}.`,
      TTL: one.ttl,
      ...values,
      targetResource: {},
      provisioningState: 'Succeeded',
    },
  }
}

/** If-Match must name the etag that stands there; `If-None-Match: *` wants nothing to stand there. */
function assertEtag({ headers }: ArmRequest, before: DnsRecordSet | undefined): void {
  const bare = (value: string | undefined): string | undefined => value?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1')
  const match = bare(headers['if-match'])
  const none = bare(headers['if-none-match'])
  const failed = (match !== undefined && match !== '' && (!before || (match !== '*' && match !== before.etag))) || (none === '*' && before !== undefined)
  if (!failed) return
  const which = before ? `The etag of the record set is ${before.etag}.` : 'The record set does not exist.'
  throw new WorldError(412, 'PreconditionFailed', `The condition in the request's header is not met. ${which}`)
}

function putSet(request: ArmRequest): ArmAnswer {
  const { world, params, body } = request
  const owner = zoneOf(request)
  const recordType = (params['type'] ?? '').toUpperCase()
  const name = params['name'] ?? ''
  const before = find(world, owner.name, recordType, name)
  assertEtag(request, before)
  const properties = record(body['properties'])
  if (request.method === 'PATCH' && !before) throw new WorldError(404, 'NotFound', `The resource record '${name}' does not exist.`)
  const base = request.method === 'PATCH' ? before : undefined
  const next = {
    ttl: properties['TTL'] === undefined && base ? base.ttl : ttlOf(properties['TTL']),
    values: valuesOf(recordType, properties, base),
    metadata: properties['metadata'] === undefined && base ? base.metadata : tagsOf(properties['metadata']),
    etag: world.unique(`${owner.name} ${name} ${recordType}`),
  }
  assertAlone(world, owner.name, name, recordType)
  const after: DnsRecordSet = before ?? { zone: owner.name, name, type: recordType, ...next }
  if (before) Object.assign(before, next)
  else world.recordSets.push(after)
  publish(world, after, { ttl: next.ttl, values: [...next.values] }, `${owner.id}/${recordType}/${after.name}`)
  return { status: before ? 200 : 201, body: setBody(owner, after), headers: { etag: after.etag } }
}

function ttlOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 2_147_483_647) return value
  throw new WorldError(400, 'BadRequest', `The TTL '${String(value)}' is not valid. It must be between 1 and 2147483647.`)
}

function valuesOf(recordType: string, properties: Record<string, unknown>, base: DnsRecordSet | undefined): string[] {
  const shape = shapes[recordType]
  if (!shape) throw new WorldError(400, 'BadRequest', `The world keeps no record sets of type ${recordType}.`)
  // Azure takes both `ARecords` and the older `aRecords`: names are matched without regard to case.
  const key = Object.keys(properties).find((one) => same(one, shape.field))
  if (key === undefined && base) return base.values
  const entries = shape.one ? [record(properties[key ?? ''])] : records(properties[key ?? ''])
  const values = entries.map(shape.read)
  if (values.length === 0) throw new WorldError(400, 'BadRequest', 'The record set has no records.')
  if (values.includes(undefined)) throw new WorldError(400, 'BadRequest', `A record of type ${recordType} is not valid.`)
  return values.flatMap((value) => value ?? [])
}

/** A CNAME stands alone under its name. */
function assertAlone(world: World, zoneName: string, name: string, recordType: string): void {
  const others = world.recordSets.filter((one) => same(one.zone, zoneName) && same(one.name, name) && !same(one.type, recordType))
  if (others.length === 0 || (recordType !== 'CNAME' && !others.some((one) => one.type === 'CNAME'))) return
  throw new WorldError(400, 'BadRequest', `A CNAME record set and others cannot both be named '${name}'.`)
}

/** Name servers follow the control plane after a while, each write in its turn: all but the slowest after half of it. */
function publish(world: World, one: DnsRecordSet, next: { ttl: number; values: string[] } | undefined, resource: string): void {
  const key = `${one.zone}/${one.name}/${one.type}`.toLowerCase()
  world.changed()
  const operation = world.begin('dns', resource, world.durationOf('dns'), () => {
    if (next) world.published.set(key, next)
    else world.published.delete(key)
    // A later write may have come to the quicker ones meanwhile.
    if (world.publishedAhead.get(key) === next) world.publishedAhead.delete(key)
  })
  world.clock.schedule(operation.durationMs / 2, () => world.publishedAhead.set(key, next))
}

function deleteSet(request: ArmRequest): ArmAnswer {
  const { world, params } = request
  const owner = zoneOf(request)
  const before = find(world, owner.name, params['type'] ?? '', params['name'] ?? '')
  assertEtag(request, before)
  if (!before) return { status: 204 }
  world.recordSets.splice(world.recordSets.indexOf(before), 1)
  publish(world, before, undefined, `${owner.id}/${before.type}/${before.name}`)
  return { status: 200 }
}
