import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe } from 'vitest'
import type { Host } from '../../src/platform/host/run.js'
import { labImage, labNeeds } from '../../src/sim/lab/image.js'
import { serveWorld } from '../../src/sim/serve.js'
import { lifeboat, root, type RunningCli, temporaryFolder } from './cli.js'
import { doorsTo } from './steps.js'
import { cutDown, edited, newServer, poolPath, poolSteps, serverSteps, type Edit } from './storage-path.js'

/** Skipped where this machine cannot run the lab; `lab-image.ts` has said why. */
export const inTheLab = describe.skipIf(labNeeds(process.env).length > 0)

export { newServer, oldServer } from './storage-path.js'

export type LabWorld = Awaited<ReturnType<typeof labWorld>>

/**
 * The world of data100, or another one, with real NFS hosts, in this process: its server is up, its pool made and exported, when
 * this resolves.
 */
export async function labWorld(world = join(root, 'fixtures/worlds/lab.yaml')) {
  const image = await labImage(process.env, () => undefined)
  const folder = temporaryFolder()
  const said: string[] = []
  const served = await serveWorld({
    world,
    // Machines under emulation take their own time: the world's must not run away from them.
    speed: 3,
    stateDir: join(folder, 'world'),
    lab: image,
    log: (line) => void said.push(line),
  })
  /** Runs a script as root on a machine, past the world's doors; throws where it fails. */
  const on = async (machine: string, script: string): Promise<string> => {
    const result = await served.world.real?.run(machine, script)
    if (result?.exitCode !== 0) throw new Error(`${script}\nfailed on ${machine}: ${JSON.stringify(result)}\n${said.join('\n')}`)
    return result.stdout
  }
  const realGuid: Edit = ({ vars }) => void (vars.pool['guid'] = '${{ env.POOL_GUID }}')
  const runbook = cutDown(folder, [...serverSteps, ...poolSteps], 'storage', realGuid)
  const cli = (...args: string[]): RunningCli => lifeboat([...args, '--yes', '--json', '--state-dir', join(folder, 'state')])
  return {
    served,
    folder,
    said,
    on,
    /** The storage path of data100. */
    run: (...more: string[]): RunningCli => cli('run', runbook, '--cloud', served.cloudPath, '--confirm', 'storage', ...more),
    resume: (...more: string[]): RunningCli => cli('resume', ...more),
    undo: (run: string, ...flags: string[]): RunningCli => cli('undo', run, '--confirm', 'storage', ...flags),
    /** A runbook that is shipped, as it stands. */
    shipped: (name: string) => {
      const path = edited(join(root, `runbooks/${name}.yaml`), folder, name, realGuid)
      return {
        run: () => cli('run', path, '--cloud', served.cloudPath, '--confirm', name),
        undo: (run: string) => cli('undo', run, '--confirm', name),
      }
    },
    /** The same in two parts: the new server is made once, and the pool goes to it and comes back as often as one likes. */
    apart: () => {
      const [server, pool] = [cutDown(folder, serverSteps, 'server'), poolPath(folder, realGuid)]
      const running = (path: string, name: string): RunningCli => cli('run', path, '--cloud', served.cloudPath, '--confirm', name)
      return {
        makeServer: () => running(server, 'server'),
        run: () => running(pool, 'pool-path'),
        undo: (run: string) => cli('undo', run, '--confirm', 'pool-path'),
      }
    },
    [Symbol.asyncDispose]: () => served.stop(),
  }
}

/** The door by SSH that a run has, to one of the lab's machines, and the guid that its world says the pool has. */
export async function sshTo({ served }: LabWorld, machine: string): Promise<{ readonly host: Host; readonly guid: string }> {
  const { doors, env } = await doorsTo(served.cloudPath)
  return { host: { ssh: doors.ssh, at: { machine, user: 'hubadmin', key: env('LIFEBOAT_SSH_KEY') } }, guid: env('POOL_GUID') }
}

/** From here on an import on that server waits until it is let go, and is noted when it begins and ends. */
export const slowImports = `cat > /usr/local/sbin/zpool <<'END' && chmod +x /usr/local/sbin/zpool
#!/bin/sh
case "$*" in
  "import "*-N*) echo begin >> /run/imports; until test -e /run/go; do sleep 1; done; /usr/sbin/zpool "$@"; code=$?; echo end $code >> /run/imports; exit $code ;;
esac
exec /usr/sbin/zpool "$@"
END`
export const notedImports = 'cat /run/imports 2>/dev/null || true'
export const letImportsGo = 'touch /run/go'
/** They are as quick as ever; one that has begun is not touched. */
export const ordinaryImports = 'rm -f /usr/local/sbin/zpool /run/imports /run/go'

/** An import has begun on the new server, and goes on there when the process here is gone. */
export async function midImport(world: LabWorld, cli: RunningCli): Promise<void> {
  while ((await world.on(newServer, notedImports)) === '') {
    if (cli.child.exitCode !== null) throw new Error(`it ended before it imported:\n${(await cli.ended).stderr}`)
    await setTimeout(1000)
  }
}

/** It has seen that something which it did not begin itself is at work on a host, and waits for that. */
export async function waitsForHost(cli: RunningCli): Promise<void> {
  await cli.until((event) => event.type === 'step.progress' && event.message.includes('is still at work there'))
}

/** Puts files of several sizes into the homes, has them on the disks, and answers their checksums. */
export const writeHomes = `
  mkdir -p /pool0/homes/prod/home/student && cd /pool0/homes/prod/home/student &&
  printf 'a notebook' > one.ipynb && head -c 5000000 /dev/urandom > data.bin && head -c 70000 /dev/zero > holes &&
  chown -R 1000:1000 /pool0/homes && sync && zpool sync pool0 && cd /pool0/homes && find . -type f -print0 | sort -z | xargs -0 sha256sum`
export const sumHomes = 'cd /pool0/homes && find . -type f -print0 | sort -z | xargs -0 sha256sum'

/** Mounts the homes by NFS at the server's own address, reads and writes through it, and answers what the server then has. */
export const useHomes = `
  mkdir -p /mnt/homes && mount -t nfs4 -o soft,timeo=300 10.240.0.7:/pool0/homes /mnt/homes &&
  cat /mnt/homes/prod/home/student/one.ipynb && echo ' and more' > /mnt/homes/prod/home/student/new && sync -f /mnt/homes && umount /mnt/homes &&
  cat /pool0/homes/prod/home/student/new && stat -c %u /pool0/homes/prod/home/student/new && rm /pool0/homes/prod/home/student/new`
export const usedHomes = 'a notebook and more\n1000\n'

/** The imports that the pool's own history tells, as they were typed. */
export async function importsOn(world: LabWorld, machine: string): Promise<string[]> {
  const history = await world.on(machine, 'zpool history pool0')
  return history.split('\n').flatMap((line) => /zpool import .*/.exec(line) ?? [])
}
