import { atMost, below, type Scenario } from './scenario.ts'
import { documentMemory } from './document-memory.ts'
import { firstOpen } from './first-open.ts'
import { idleMemory } from './idle-memory.ts'
import { joinEdited } from './join-edited.ts'
import { joinLarge } from './join-large.ts'
import { steady } from './steady.ts'

/** The table, row by row. */
export const scenarios: readonly Scenario[] = [
  steady({
    name: 'fan-out-10k',
    title: '100 clients in one room, 10,000 delivered per second',
    rooms: 1,
    roomSize: 100,
    kind: 'update',
    deliveredPerSecond: 10_000,
    goals: [atMost(0.45, 'cpu', 'hocuspocus'), atMost(1, 'cpu', 'floor'), below(10, 'p95')],
  }),
  steady({
    name: 'fan-out-100k',
    title: '100 clients in one room, 100,000 delivered per second',
    rooms: 1,
    roomSize: 100,
    kind: 'update',
    deliveredPerSecond: 100_000,
    goals: [atMost(0.15, 'cpu', 'hocuspocus')],
  }),
  steady({
    name: 'fan-out-500k',
    title: '100 clients in one room, 500,000 delivered per second',
    rooms: 1,
    roomSize: 100,
    kind: 'update',
    deliveredPerSecond: 500_000,
    goals: [atMost(0.3, 'cpu', 'hocuspocus'), below(150, 'p95')],
  }),
  steady({
    name: 'rooms-500',
    title: '500 rooms of 4 clients, 3,000 delivered per second',
    rooms: 500,
    roomSize: 4,
    kind: 'update',
    deliveredPerSecond: 3000,
    goals: [atMost(1.6, 'cpu', 'floor'), atMost(0.75, 'cpu', 'y-websocket'), below(2, 'p95')],
  }),
  steady({
    name: 'rooms-5000',
    title: '5,000 rooms of 2 people who type now and then: each once in 20 s, 500 delivered per second',
    rooms: 5000,
    roomSize: 2,
    kind: 'update',
    deliveredPerSecond: 500,
    isPresent: true,
    settleSeconds: 80,
    seconds: 48,
    goals: [atMost(0.75, 'cpu', 'y-websocket')],
  }),
  steady({
    name: 'cold-10k',
    title: 'The first 30 s after a start: 100 clients in one room, 10,000 delivered per second',
    rooms: 1,
    roomSize: 100,
    kind: 'update',
    deliveredPerSecond: 10_000,
    cold: true,
    seconds: 30,
    goals: [atMost(0.9, 'cpu', 'y-websocket')],
  }),
  idleMemory({ name: 'idle-20-rooms', title: 'Memory per idle connection, in 20 rooms', rooms: () => 20, goals: [below(9.5, 'resident')] }),
  idleMemory({ name: 'idle-own-rooms', title: 'Memory per idle connection, each in a room of its own', rooms: (connections) => connections, goals: [below(11, 'resident')] }),
  documentMemory,
  joinEdited,
  firstOpen,
  steady({
    name: 'awareness-10k',
    title: 'Awareness: 100 clients in one room, 10,000 delivered per second',
    rooms: 1,
    roomSize: 100,
    kind: 'awareness',
    deliveredPerSecond: 10_000,
    goals: [atMost(1, 'cpu', 'floor')],
  }),
  steady({
    name: 'awareness-10hz',
    title: 'Awareness: 100 clients in one room, each 10 times a second (99,000 delivered per second)',
    rooms: 1,
    roomSize: 100,
    kind: 'awareness',
    deliveredPerSecond: 99_000,
    goals: [below(25, 'core')],
  }),
  steady({
    name: 'awareness-500',
    title: 'Awareness: 500 clients in one room, each once a second (249,500 delivered per second)',
    rooms: 1,
    roomSize: 500,
    kind: 'awareness',
    deliveredPerSecond: 249_500,
    goals: [below(25, 'core')],
  }),
  joinLarge,
]
