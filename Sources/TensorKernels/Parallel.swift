#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Synchronization

/// How many threads the kernels use, the calling one included. At least 1.
///
/// The thread count never changes a result: work is cut into chunks whose number depends on the
/// shapes alone, and each output element is computed by one chunk.
public var kernelThreads: Int {
  get { WorkerPool.shared.width.load(ordering: .relaxed) }
  set {
    // More threads than a few a core only wait for one another.
    let most = 4 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    WorkerPool.shared.width.store(min(max(1, newValue), most), ordering: .relaxed)
  }
}

/// The cores that this process may use: fewer than the machine has where it is pinned to some.
private func availableCores() -> Int {
  #if os(Linux)
  // By name, since the C header hides it behind a feature macro that Swift's import does not set.
  typealias Affinity = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32
  if let symbol = dlsym(nil, "sched_getaffinity") {
    var mask = [UInt64](repeating: 0, count: 64)
    let bytes = MemoryLayout<UInt64>.stride * mask.count
    // SAFETY: the documented signature; the kernel writes at most `bytes` bytes.
    let status = mask.withUnsafeMutableBytes { memory in
      memory.baseAddress.map { unsafeBitCast(symbol, to: Affinity.self)(0, bytes, $0) } ?? -1
    }
    if status == 0 { return max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount }) }
  }
  #endif
  return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}

/// Runs `body(0)` … `body(chunks - 1)`, on several threads where that helps, and returns when all
/// are done. Chunks must write disjoint memory.
///
/// Called from inside a chunk, or while another thread is running one, it runs serially.
public func parallel(chunks: Int, _ body: (Int) -> Void) {
  WorkerPool.shared.run(chunks: chunks) { chunk, _ in body(chunk) }
}

/// As ``parallel(chunks:_:)``, with scratch memory: `body` also gets a part of `workspace`, of
/// `scratch` values, which no other chunk uses at the same time.
///
/// `workspace` holds at least ``kernelThreads`` times `scratch` values.
public func parallel(
  chunks: Int, scratch: Int, workspace: MutableFloats,
  _ body: (Int, UnsafeMutablePointer<Float>) -> Void
) {
  let threads = min(kernelThreads, scratch == 0 ? .max : workspace.count / scratch)
  precondition(threads >= 1, "workspace of \(workspace.count) for \(scratch) values a thread")
  let base = workspace.base
  WorkerPool.shared.run(chunks: chunks, threads: threads) { chunk, worker in
    body(chunk, base + worker * scratch)
  }
}

/// Cuts 0..<count into ranges of `grain` and runs `body` on each in parallel.
public func parallelRanges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
  let grain = max(1, grain)
  parallel(chunks: (count + grain - 1) / grain) { chunk in
    body(chunk * grain..<min(count, (chunk + 1) * grain))
  }
}

/// One persistent set of threads for the process. Workers spin for a moment after each job, since
/// the next kernel usually follows within microseconds, and then sleep on a condition.
///
/// A job is open from the moment that `open` rises until it falls. A worker first enters `active`
/// and then looks at `open`; the caller first lowers `open` and then waits for `active` to fall to
/// zero. Both are sequentially consistent, so a worker that saw an open job is waited for.
private final class WorkerPool: @unchecked Sendable {
  // SAFETY: `body`, `chunks`, `helpers` and `threads` are written only by the thread that holds `busy`, while
  // no job is open and `active` is zero; workers read them only inside an open job.
  static let shared = WorkerPool()

  let width: Atomic<Int>
  private let busy = Atomic<Bool>(false)
  private let open = Atomic<Bool>(false)
  private let generation = Atomic<Int>(0)
  private let next = Atomic<Int>(0)
  private let active = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private var chunks = 0
  private var body: ((Int, Int) -> Void)?
  private var helpers = 0
  private var threads = 0
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  private init() {
    width = Atomic(availableCores())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
  }

  /// `body` gets the chunk and the number of the thread that runs it: 0 for the caller.
  func run(chunks: Int, threads: Int = .max, _ body: (Int, Int) -> Void) {
    let width = min(threads, self.width.load(ordering: .relaxed))
    if chunks <= 1 || width <= 1 || busy.exchange(true, ordering: .acquiring) {
      for chunk in 0..<max(0, chunks) { body(chunk, 0) }
      return
    }
    startThreads(upTo: width - 1)
    withoutActuallyEscaping(body) { body in
      self.body = body
      self.chunks = chunks
      helpers = width - 1
      next.store(0, ordering: .relaxed)
      open.store(true, ordering: .sequentiallyConsistent)
      generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
      }
      takeChunks(body, chunks, worker: 0)
      open.store(false, ordering: .sequentiallyConsistent)
      var spins = 0
      while active.load(ordering: .sequentiallyConsistent) > 0 {
        spins += 1
        if spins > 4_000 { sched_yield() }
      }
      self.body = nil
    }
    busy.store(false, ordering: .releasing)
  }

  @inline(__always)
  private func takeChunks(_ body: (Int, Int) -> Void, _ chunks: Int, worker: Int) {
    while true {
      let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard chunk < chunks else { return }
      body(chunk, worker)
    }
  }

  private func startThreads(upTo wanted: Int) {
    while threads < wanted {
      let index = threads
      let context = Unmanaged.passRetained(Start(index)).toOpaque()
      #if canImport(Darwin)
      var thread: pthread_t?
      #else
      var thread = pthread_t()
      #endif
      let status = pthread_create(&thread, nil, workerMain, context)
      guard status == 0 else { return }  // fewer threads: slower, and the same results
      pthread_detach(thread)
      threads += 1
    }
  }

  fileprivate final class Start {
    let index: Int
    init(_ index: Int) { self.index = index }
  }

  fileprivate func serve(index: Int) {
    var seen = 0
    while true {
      seen = waitForJob(after: seen)
      active.wrappingAdd(1, ordering: .sequentiallyConsistent)
      if open.load(ordering: .sequentiallyConsistent), let body,
        index < helpers
      {
        takeChunks(body, chunks, worker: index + 1)
      }
      active.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
  }

  private func waitForJob(after seen: Int) -> Int {
    for _ in 0..<20_000 {
      let now = generation.load(ordering: .sequentiallyConsistent)
      if now != seen { return now }
    }
    pthread_mutex_lock(mutex)
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    var now = generation.load(ordering: .sequentiallyConsistent)
    while now == seen {
      pthread_cond_wait(wake, mutex)
      now = generation.load(ordering: .sequentiallyConsistent)
    }
    sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
    return now
  }
}

#if canImport(Darwin)
private func workerMain(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  serveForever(context)
}
#else
private func workerMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context else { return nil }
  return serveForever(context)
}
#endif

private func serveForever(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  let start = Unmanaged<WorkerPool.Start>.fromOpaque(context).takeRetainedValue()
  WorkerPool.shared.serve(index: start.index)
  return nil
}
