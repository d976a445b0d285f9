import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { root } from '../helpers/cli.js'
import { tempFolder } from '../helpers/temp-folder.js'

interface Manifest {
  kind: string
  metadata: { name: string; labels: Record<string, string> }
  spec: Record<string, unknown>
}

const chart = join(root, 'fixtures/charts/hub')
const given = ['--set', 'hub.host=data100.example.edu,nfs.server=10.240.0.7,nfs.path=/pool0/homes/prod/home']

/** The project's own helm, kept from everything of whoever runs the tests. */
function helm(args: readonly string[]): string {
  const home = tempFolder()
  return execFileSync(join(root, 'node_modules/.bin/helm'), args, { encoding: 'utf8', env: { HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] })
}

function rendered(release: string, namespace: string, more: readonly string[] = []): Manifest[] {
  const text = helm(['template', release, chart, '-n', namespace, ...given, ...more])
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}

const named = (manifests: readonly Manifest[], kind: string, name?: string): Manifest =>
  manifests.find((one) => one.kind === kind && (name === undefined || one.metadata.name === name))!

describe('the small hub chart', () => {
  it('has nothing that helm lint objects to', () => {
    expect(helm(['lint', chart, '--strict', ...given])).toContain('0 chart(s) failed')
    expect(helm(['lint', chart])).toContain('0 chart(s) failed')
  })

  it('puts a proxy behind a load balancer and the homes on NFS, statically', () => {
    const manifests = rendered('data100-prod', 'data100-prod')
    expect(named(manifests, 'Service', 'proxy-public').spec).toMatchObject({ type: 'LoadBalancer' })
    expect(named(manifests, 'PersistentVolume').spec).toMatchObject({
      storageClassName: '',
      nfs: { server: '10.240.0.7', path: '/pool0/homes/prod/home' },
      claimRef: { namespace: 'data100-prod', name: 'homes' },
    })
    const volume = named(manifests, 'PersistentVolume').metadata.name
    expect(named(manifests, 'PersistentVolumeClaim').spec).toMatchObject({ storageClassName: '', volumeName: volume })
    expect(JSON.stringify(named(manifests, 'Deployment', 'hub'))).toContain('"claimName":"homes"')
    expect(manifests.every(({ metadata }) => metadata.labels['app.kubernetes.io/instance'] === 'data100-prod')).toBe(true)
  })

  it('gives two hubs of one cluster volumes of their own', () => {
    const names = ['staging', 'prod'].map((one) => named(rendered(`data100-${one}`, `data100-${one}`), 'PersistentVolume').metadata.name)
    expect(new Set(names).size).toBe(2)
  })

  it('starts its pods anew for another configuration, and only then', () => {
    const sum = (more: string[]): unknown => {
      const { template } = named(rendered('a', 'a', more), 'Deployment', 'hub').spec as { template: { metadata: { annotations: unknown } } }
      return template.metadata.annotations
    }
    expect(sum([])).toEqual(sum([]))
    expect(sum(['--set', 'hub.host=other.example.edu'])).not.toEqual(sum([]))
  })

  it.each(['hub.host', 'nfs.server', 'nfs.path'])('cannot be rendered without %s', (key) => {
    expect(() => rendered('a', 'a', ['--set', `${key}=`])).toThrow(key)
  })
})
