/** Azure's own names for data disks, by LUN: renumbered devices do not matter. */
export const deviceFolder = '/dev/disk/azure/scsi1'
