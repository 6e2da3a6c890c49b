import Claims
import Foundation
import ModelFiles
import TensorKernels
import Training

/// Runs experiments in their order, one a core, each in a process of its own. With one core, or one
/// experiment, it runs here on all of them.
struct TourSchedule {
  let jobs: [TourJob]
  let cores: Int
  let progress: TourProgress
  let clock: TourClock
  /// The command line of a worker.
  let worker: (TourJob, _ threads: Int) -> [String]

  typealias Failure = (label: String, complaint: String)

  /// Runs all; what went wrong is returned when the others are done.
  ///
  /// - Throws: ``Interrupted`` where someone asked to stop, with everything saved.
  func run() throws -> [Failure] {
    clock.tick()
    defer {
      progress.clear()
      clock.write()
    }
    return try cores > 1 && jobs.count > 1 ? sideBySide() : inTurn()
  }

  // MARK: Here

  private func inTurn() throws -> [Failure] {
    var failures: [Failure] = []
    for job in jobs {
      do {
        RunFolder.waitUntilFree(job.folder, seconds: TourWorker.lockPatience) {
          Interrupt.isRequested
        }
        try Interrupt.check()
        _ = try job.experiment.run(in: job.folder, observer: observer(job), command: "")
      } catch  where error is ExperimentStopped || error is StageStopped || error is Interrupted {
        throw Interrupted()
      } catch {
        fail(job, "\(error)", &failures)
      }
      progress.finish(job.label)
    }
    return failures
  }

  private func observer(_ job: TourJob) -> ExperimentObserver {
    ExperimentObserver(
      begin: { stage, steps, from in
        take(TourMessage(event: .begin, stage: stage, step: from, steps: steps), of: job)
      },
      update: { step, note in take(TourMessage(event: .update, step: step, text: note), of: job) },
      end: { take(TourMessage(event: .end), of: job) },
      warn: { take(TourMessage(event: .warn, text: $0), of: job) },
      shouldStop: { Interrupt.isRequested })
  }

  // MARK: In workers

  private func sideBySide() throws -> [Failure] {
    var queue = jobs[...]
    var running: [WorkerProcess] = []
    var failures: [Failure] = []
    var isStopping = false
    while !running.isEmpty || !queue.isEmpty {
      if Interrupt.isRequested, !isStopping {
        isStopping = true
        queue = []
        for worker in running { worker.stop() }
      }
      while running.count < cores, let job = queue.popFirst() {
        running.append(
          try WorkerProcess(
            job, program: Self.program, arguments: worker(job, 1), threads: 1))
      }
      share(cores, among: running)
      wait(for: running)
      for worker in running { hear(worker) }
      for worker in running where worker.hasEnded {
        if let complaint = worker.complaint() {
          fail(worker.job, complaint, &failures)
        } else if worker.wasInterrupted {
          // A signal may reach a worker before the tour.
          Interrupt.request()
        }
        progress.finish(worker.job.label)
      }
      running.removeAll { $0.hasEnded }
      clock.tick()
      progress.draw()
    }
    try Interrupt.check()
    return failures
  }

  /// This program, for workers.
  private static var program: URL {
    #if os(Linux)
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    if let link { return URL(fileURLWithPath: link) }
    #endif
    return Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }

  /// Cores that nobody waits for go to those who are still at work.
  private func share(_ cores: Int, among running: [WorkerProcess]) {
    for (index, worker) in running.enumerated() {
      let extra = index < cores % running.count ? 1 : 0
      worker.use(threads: cores / running.count + extra)
    }
  }

  /// Waits for news, a tenth of a second at most.
  private func wait(for running: [WorkerProcess]) {
    var descriptors = running.flatMap(\.descriptors).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    _ = poll(&descriptors, nfds_t(descriptors.count), 100)
  }

  private func hear(_ worker: WorkerProcess) {
    for message in worker.news() { take(message, of: worker.job) }
  }

  // MARK: Both

  private func take(_ message: TourMessage, of job: TourJob) {
    let stage = "\(job.label) \(message.stage ?? "")"
    switch message.event {
    case .begin:
      clock.begin(stage, of: job.label)
      progress.begin(
        job.label, stage: message.stage ?? "", steps: message.steps ?? 0, from: message.step ?? 0)
    case .update:
      clock.tick()
      progress.update(job.label, step: message.step ?? 0, note: message.text)
    case .end:
      if let step = message.step { progress.update(job.label, step: step, note: message.text) }
      clock.end(job.label)
      progress.end(job.label)
    case .warn: progress.note("\(job.label): \(message.text ?? "")")
    case .failed: break
    }
  }

  private func fail(_ job: TourJob, _ complaint: String, _ failures: inout [Failure]) {
    failures.append((job.label, complaint))
    if jobs.count > failures.count {
      progress.note("\(job.label) stopped: \(complaint). The others go on.")
    }
    clock.end(job.label)
  }
}
