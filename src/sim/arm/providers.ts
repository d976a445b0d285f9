import { type World, WorldError } from '../world/world.js'
import type { ArmRequest } from './wire.js'

/** Namespaces that every client knows; a subscription has all but those that the world file names registered. */
export const namespaces = [
  'Microsoft.Compute',
  'Microsoft.ContainerService',
  'Microsoft.Network',
  'Microsoft.Storage',
  'Microsoft.ManagedIdentity',
  'Microsoft.PolicyInsights',
  'Microsoft.Authorization',
  'Microsoft.Resources',
]

export function registrationOf(world: World, namespace: string): string {
  const given = Object.entries(world.spec.providers).find(([name]) => name.toLowerCase() === namespace.toLowerCase())
  return given?.[1] ?? 'Registered'
}

/** One that is still being registered serves already. */
export function assertRegistered(world: World, { method, path }: ArmRequest): void {
  if (method === 'GET' || method === 'HEAD') return
  const namespace = /\/providers\/([^/]+)/i.exec(path)?.[1]
  if (namespace === undefined || ['Registered', 'Registering'].includes(registrationOf(world, namespace))) return
  const message = `The subscription is not registered to use namespace '${namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions.`
  throw new WorldError(409, 'MissingSubscriptionRegistration', message)
}
