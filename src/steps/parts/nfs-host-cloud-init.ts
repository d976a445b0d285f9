/**
 * Cloud-init for a Debian 12 NFS host: ZFS from contrib (built by dkms), the NFS server, and a host id that stays, by which
 * ZFS tells hosts apart. Newest kernel and headers come together, since an image's own kernel may be older than the headers
 * on offer; if the running one has no module then, the machine starts once more. NFS is not started here: that is for
 * nfs/exports, when there is something to serve.
 */
export function nfsHostCloudInit(hostname: string): string {
  return `#cloud-config
hostname: ${hostname}
package_update: true
apt:
  sources_list: |
    deb $MIRROR $RELEASE main contrib
    deb $MIRROR $RELEASE-updates main contrib
    deb $SECURITY $RELEASE-security main contrib
packages:
  - linux-image-cloud-amd64
  - linux-headers-cloud-amd64
  - zfs-dkms
  - zfsutils-linux
  - nfs-kernel-server
runcmd:
  - [systemctl, disable, --now, nfs-server]
  - [sh, -c, "test -s /etc/hostid || zgenhostid"]
  # A pool must never be imported behind our back when the host boots: what may be imported is decided from outside.
  - [systemctl, disable, --now, zfs-import-cache.service, zfs-import-scan.service]
  - [sh, -c, "echo zfs > /etc/modules-load.d/zfs.conf"]
  - [sh, -c, "modprobe zfs || true"]
power_state:
  mode: reboot
  message: the running kernel has no ZFS module
  # Without packages another start would not help, and cloud-init would forget why they did not come.
  condition: [sh, -c, "test ! -d /sys/module/zfs && test -e /usr/sbin/zpool"]
`
}

/**
 * The same for an image that has all packages. What it was made of may have left its host id and a cache of its pools in it: two hosts
 * of one id are one to ZFS.
 */
export function preparedCloudInit(hostname: string): string {
  return `#cloud-config
hostname: ${hostname}
runcmd:
  - [systemctl, disable, --now, nfs-server]
  - [zgenhostid, -f]
  - [systemctl, disable, --now, zfs-import-cache.service, zfs-import-scan.service]
  - [rm, -f, /etc/zfs/zpool.cache]
  - [sh, -c, "echo zfs > /etc/modules-load.d/zfs.conf"]
  - [modprobe, zfs]
`
}
