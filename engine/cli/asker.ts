/**
 * Asking the traffic workers, and the master for its sockets, from the control thread. Every question ends: with the
 * thread's answer, or when the time for it is over.
 */
import type { Placing } from '../config/model.ts';
import type { PassedSocket } from '../io/fd-passing.ts';
import { ASK_TIMEOUT_MS } from '../limits.ts';
import type { Answer, Question, Topic } from '../proxy/questions.ts';
import type { Memory } from '../shm/memory.ts';
import { WORKER } from '../shm/words.ts';
import { Timer, type TimerWheel } from '../time.ts';

/** What is done with the sockets that a frontend listens on: as FE_* in shm/words.ts. */
export type FrontendSockets = 'open' | 'pause' | 'close';

/** How questions reach the other threads. `id` comes back with the answer: `Asker.answered`. */
interface Post {
  ask(worker: number, id: number, question: Question): void;
  place(id: number, placing: Placing): void;
  forget(all: boolean, server: number | null): void;
  expose(id: number): void;
  sockets(id: number, proxy: number, state: FrontendSockets): void;
}

/** Instead of an answer: the thread is not there any more, or says nothing. */
export type NoAnswer = 'gone' | 'silent';

export interface Answered<K extends Topic> {
  readonly worker: number;
  readonly answer: Answer<K> | 'silent';
}

/** One `ask`: the questions of it that are open, by their id, and the answers to the others. */
class Round {
  readonly open = new Map<number, number>();
  readonly answers: { worker: number; answer: unknown }[] = [];
  readonly done: (answers: Round['answers']) => void;
  readonly timer: Timer<Round>;

  constructor(done: Round['done'], timeout: (round: Round) => void) {
    this.done = done;
    this.timer = new Timer<Round>(this, timeout);
  }
}

/** The master, where a worker's number is wanted. */
const MASTER = -1;

export class Asker {
  readonly #post: Post;
  readonly #memory: Memory;
  readonly #wheel: TimerWheel;
  readonly #now: () => number;
  readonly #rounds = new Map<number, Round>();
  #lastId = 0;

  constructor(post: Post, memory: Memory, wheel: TimerWheel, now: () => number) {
    this.#post = post;
    this.#memory = memory;
    this.#wheel = wheel;
    this.#now = now;
  }

  /**
   * Asks every worker that lives, or `only` one of them. `done` is called once, with the answers in the order of the
   * workers; those that died meanwhile are not among them.
   */
  ask<K extends Topic>(question: Question<K>, done: (answers: readonly Answered<K>[]) => void, only?: number): void {
    const workers = this.alive().filter(worker => only === undefined || worker === only);
    const round = this.#begin(answers => done(answers as readonly Answered<K>[]));
    for (const worker of workers) this.#post.ask(worker, this.#expect(round, worker), question as Question);
    if (workers.length === 0) this.#end(round);
  }

  /** Puts the sockets of a frontend into a state; `done` is told whether the master said that they are. */
  sockets(proxy: number, state: FrontendSockets, done: (ok: boolean) => void): void {
    this.#post.sockets(this.#askMaster(done), proxy, state);
  }

  /** All listening sockets of the process; null when the master does not answer. */
  expose(done: (sockets: readonly PassedSocket[] | null) => void): void {
    const round = this.#begin(([first]) => {
      done(first === undefined || first.answer === 'silent' ? null : (first.answer as readonly PassedSocket[]));
    });
    this.#post.expose(this.#expect(round, MASTER));
  }

  /** Tells the master of a server or a backend that was added or removed. */
  place(placing: Placing, done: (ok: boolean) => void): void {
    this.#post.place(this.#askMaster(done), placing);
  }

  /** Clears what earlier generations have counted. */
  forget(all: boolean, server: number | null): void {
    this.#post.forget(all, server);
  }

  #askMaster(done: (ok: boolean) => void): number {
    return this.#expect(
      this.#begin(answers => done(answers.every(a => a.answer !== 'silent'))),
      MASTER,
    );
  }

  /** An answer came. One that comes too late is passed over. */
  answered(id: number, answer: unknown): void {
    const round = this.#rounds.get(id);
    if (round === undefined) return;
    const worker = round.open.get(id)!;
    this.#rounds.delete(id);
    round.open.delete(id);
    if (answer !== 'gone') round.answers.push({ worker, answer });
    if (round.open.size === 0) this.#end(round);
  }

  /** Numbers of the workers that a thread serves now. */
  alive(): number[] {
    const { words, shape } = this.#memory;
    const all = Array.from({ length: shape.workers }, (_, worker) => worker);
    return all.filter(worker => Atomics.load(words, this.#memory.worker(worker) + WORKER.at.alive) === 1);
  }

  #begin(done: Round['done']): Round {
    const round = new Round(done, late => this.#timeout(late));
    this.#wheel.arm(round.timer, this.#now() + ASK_TIMEOUT_MS);
    return round;
  }

  #expect(round: Round, worker: number): number {
    const id = ++this.#lastId;
    this.#rounds.set(id, round);
    round.open.set(id, worker);
    return id;
  }

  #timeout(round: Round): void {
    for (const [id, worker] of round.open) {
      this.#rounds.delete(id);
      round.answers.push({ worker, answer: 'silent' });
    }
    this.#end(round);
  }

  #end(round: Round): void {
    this.#wheel.forget(round.timer);
    round.answers.sort((a, b) => a.worker - b.worker);
    round.done(round.answers);
  }
}
