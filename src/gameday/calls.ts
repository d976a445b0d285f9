import type { Complaint } from './complaint.js'
import type { Fault } from './faults.js'
import { wrongPattern } from './selector.js'

type Path = Complaint['path']

const writing = ['PUT', 'POST', 'PATCH', 'DELETE']
const ofAzure = ['GET', 'HEAD', ...writing]
/** What stands in the access log: programs on hosts and run commands, questions to name servers, ways through the proxy. */
const ofAnyDoor = [...ofAzure, 'EXEC', 'QUERY', 'CONNECT']

function methodOf(call: string): string {
  return call.slice(0, call.indexOf(' '))
}

/** A call that can never be seen: by a method that nobody sends there, or a pattern that is none. */
function callComplaints(call: string, path: Path, methods: readonly string[], where: string): readonly Complaint[] {
  const method = methodOf(call)
  const known = methods.includes(method)
  return [
    ...(known ? [] : [{ path, message: `there is no method "${method}" of ${where}`, near: { word: method, among: methods, what: 'methods' } }]),
    ...pattern(call.slice(method.length + 1), path),
  ]
}

/** Of Azure alone: what is counted and befallen is what is sent there. */
export function azureCall(call: string, path: Path): readonly Complaint[] {
  return callComplaints(call, path, ofAzure, 'Azure')
}

/** What a fault waits for; one on requests befalls it too, if it names no other. */
export function awaitedCall({ when: { call }, do: does }: Fault, path: Path): readonly Complaint[] {
  if (call === undefined) return []
  const onRequests = does.kind === 'refuse' || does.kind === 'reset' || does.kind === 'loseReply' || does.kind === 'slow'
  return onRequests && does.with.call === undefined ? azureCall(call, path) : callComplaints(call, path, ofAnyDoor, 'any door')
}

/** Of somebody who is to change something. */
export function othersCall(call: string, path: Path): readonly Complaint[] {
  const method = methodOf(call)
  if (method !== 'GET' && method !== 'HEAD') return callComplaints(call, path, writing, 'Azure')
  return [{ path, message: `${method} changes nothing`, hint: `somebody does ${writing.join(', ')}` }]
}

export function pattern(text: string, path: Path): readonly Complaint[] {
  const wrong = wrongPattern(text)
  return wrong === undefined ? [] : [{ path, message: `this is no regular expression: ${wrong}` }]
}
