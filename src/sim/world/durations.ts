/** What can be deleted, each in its own time. */
const deleted = ['network', 'security group', 'interface', 'public address', 'nat gateway', 'identity', 'role assignment', 'resource', 'snapshot']

/** What a world takes its time for by a name, as its file has it under `durations`. */
export const timed: readonly string[] = [
  'cluster create', 'cluster update', 'cluster delete', 'group create', 'group delete', 'network', 'subnet', 'security group', 'interface',
  'public address', 'nat gateway', 'identity', 'role assignment', 'role assignment seen', 'principal seen', 'resource', 'vm create', 'vm update',
  'vm delete', 'boot', 'first boot', 'start', 'power off', 'deallocate', 'runCommand', 'disk', 'snapshot', 'move', 'validate move', 'detach',
  'attach', 'zpool export', 'zpool import', 'dns', 'activity log', 'read lag', 'list lag', 'ssh timeout',
  ...deleted.map((one) => `${one} delete`),
]
