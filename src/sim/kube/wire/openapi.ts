import { kinds, type Kind } from '../kinds.js'
import { rootOf, structOf, type Struct, type Type } from '../schema/index.js'

/** `/openapi/v3`: where the document of each group and version lies. */
export function openapiRoot(): unknown {
  const versions = [...new Set(kinds.map((kind) => kind.apiVersion))]
  return { paths: Object.fromEntries(versions.map((one) => [prefix(one), { serverRelativeURL: `/openapi/v3/${prefix(one)}?hash=1` }])) }
}

function prefix(apiVersion: string): string {
  return apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`
}

/**
 * `/openapi/v3/apis/GROUP/VERSION`: for each kind the path that says that the server validates fields, and its schema as far as
 * schema/ goes. Undefined if there is no such version.
 */
export function openapiDocument(path: string): unknown {
  const ofVersion = kinds.filter((kind) => prefix(kind.apiVersion) === path)
  if (ofVersion.length === 0) return undefined
  const schemas = new Map<string, unknown>()
  for (const kind of ofVersion) {
    schemas.set(kind.kind, { ...(schemaOf(rootOf(kind), schemas) as object), 'x-kubernetes-group-version-kind': [gvk(kind)] })
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(ofVersion.map((kind) => [pathOf(kind), { patch: patchOf(kind) }])),
    components: { schemas: Object.fromEntries(schemas) },
  }
}

function gvk(kind: Kind): unknown {
  return { group: kind.group, version: kind.version, kind: kind.kind }
}

function pathOf(kind: Kind): string {
  return `/${prefix(kind.apiVersion)}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}/{name}`
}

function patchOf(kind: Kind): unknown {
  return {
    operationId: `patch${kind.kind}`,
    parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': gvk(kind),
  }
}

function schemaOf(struct: Struct, schemas: Map<string, unknown>): unknown {
  return { type: 'object', properties: Object.fromEntries([...struct].map(([name, type]) => [name, typeSchema(type, schemas)])) }
}

function typeSchema(type: Type, schemas: Map<string, unknown>): unknown {
  switch (type.is) {
    case 'scalar':
      if (type.of === 'any') return { type: 'object' }
      if (type.of === 'either' || type.of === 'quantity') return { 'x-kubernetes-int-or-string': true, type: 'string' }
      return { type: type.of === 'number' ? 'integer' : type.of }
    case 'map':
      return { type: 'object', additionalProperties: typeSchema(type.of, schemas) }
    case 'list':
    case 'set':
      return { type: 'array', items: typeSchema(type.of, schemas) }
    case 'struct':
      if (!schemas.has(type.name)) {
        // Marked first: a struct may hold itself.
        schemas.set(type.name, {})
        schemas.set(type.name, schemaOf(structOf(type.name), schemas))
      }
      return { $ref: `#/components/schemas/${type.name}` }
  }
}
