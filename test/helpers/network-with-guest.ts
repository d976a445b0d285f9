import type { WorldSpec } from '../../src/sim/world/spec.js'
import { rulesFor, wireRule } from '../../src/steps/parts/network.js'
import { subscription } from './steps.js'

const inNetworks = (type: string, name: string): string => `/subscriptions/${subscription}/resourceGroups/data100-network/providers/Microsoft.Network/${type}/${name}`
/** The network as data100 wants it, with an interface of somebody else's at the server's address. */
export const networkWithGuest: WorldSpec['resources'] = [
  {
    id: inNetworks('networkSecurityGroups', 'data100-nfs'),
    tags: {},
    properties: {
      securityRules: Object.entries(rulesFor({ securityGroup: { subnet: 'nfs', nfsFrom: '10.240.16.0/20', sshFrom: '10.250.0.0/24' } })).map(([name, rule]) => ({ ...wireRule(name, rule) })),
    },
  },
  {
    id: inNetworks('virtualNetworks', 'data100'),
    tags: {},
    properties: {
      addressSpace: { addressPrefixes: ['10.240.0.0/16'] },
      subnets: [
        { name: 'nodes', properties: { addressPrefix: '10.240.16.0/20' } },
        {
          name: 'nfs',
          properties: {
            addressPrefix: '10.240.0.0/28',
            networkSecurityGroup: { id: inNetworks('networkSecurityGroups', 'data100-nfs') },
            natGateway: { id: inNetworks('natGateways', 'data100-nat') },
          },
        },
      ],
    },
  },
  {
    id: inNetworks('natGateways', 'data100-nat'),
    tags: {},
    sku: { name: 'Standard' },
    properties: { publicIpAddresses: [{ id: inNetworks('publicIPAddresses', 'data100-nat') }] },
  },
  {
    id: inNetworks('publicIPAddresses', 'data100-nat'),
    tags: {},
    sku: { name: 'Standard' },
    properties: { publicIPAllocationMethod: 'Static', ipAddress: '198.51.100.12' },
  },
  {
    id: inNetworks('networkInterfaces', 'somebody'),
    tags: {},
    properties: {
      ipConfigurations: [
        { name: 'a', properties: { privateIPAllocationMethod: 'Static', privateIPAddress: '10.240.0.7', subnet: { id: `${inNetworks('virtualNetworks', 'data100')}/subnets/nfs` } } },
      ],
    },
  },
]
