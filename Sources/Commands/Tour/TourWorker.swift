import ArgumentParser
import Claims
import Foundation
import ModelFiles
import TensorKernels
import Training

/// The hidden side of a tour: one experiment in a process of its own. It tells how far it is on
/// standard output and takes lines on standard input: `threads 2`, `stop`. When standard input
/// closes, the tour has died: the worker then saves and stops too.
struct TourWorker {
  let job: TourJob

  func run(threads: Int) throws {
    // A tour that has died is noticed by its closed pipe, not by a signal in the middle of a save.
    signal(SIGPIPE, SIG_IGN)
    Interrupt.install(announced: false)
    kernelThreads = max(1, threads)
    Thread.detachNewThread { Self.listen() }
    do {
      RunFolder.waitUntilFree(job.folder, seconds: lockPatience) { Interrupt.isRequested }
      _ = try job.experiment.run(in: job.folder, observer: observer(), command: "")
    } catch  where error is ExperimentStopped || error is StageStopped {
      throw Interrupted()
    } catch {
      Self.send(TourMessage(event: .failed, text: "\(error)"))
      throw ExitStatus.failure.code
    }
  }

  /// Seconds that an experiment waits for the worker of a tour that was killed a moment ago.
  static let lockPatience = 30.0
  /// Seconds that a worker without a tour may take to save. What it saved before is whole, so
  /// ending it then costs only the steps since.
  private static let orphanPatience: UInt32 = 20

  private var lockPatience: Double { Self.lockPatience }

  private static func listen() {
    while let line = readLine() {
      let words = line.split(separator: " ")
      if words.first == "stop" { Interrupt.request() }
      if words.first == "threads", words.count == 2, let count = Int(words[1]) {
        kernelThreads = count
      }
    }
    Interrupt.request()
    sleep(orphanPatience)
    _exit(ExitStatus.interrupted.rawValue)
  }

  private func observer() -> ExperimentObserver {
    // Five lines a second are enough for a person; the last one goes out with the end.
    let pause = Duration.milliseconds(200)
    var sent = ContinuousClock.now - pause
    var latest = TourMessage(event: .update)
    return ExperimentObserver(
      begin: { stage, steps, from in
        latest = TourMessage(event: .update, step: from)
        sent = .now - pause
        Self.send(TourMessage(event: .begin, stage: stage, step: from, steps: steps))
      },
      update: { step, note in
        latest.step = step
        if !note.isEmpty { latest.text = note }
        guard .now - sent >= pause else { return }
        sent = .now
        Self.send(latest)
      },
      end: {
        Self.send(TourMessage(event: .end, step: latest.step, text: latest.text))
      },
      warn: { Self.send(TourMessage(event: .warn, text: $0)) },
      shouldStop: { Interrupt.isRequested })
  }

  private static func send(_ message: TourMessage) {
    do {
      try FileHandle.standardOutput.write(contentsOf: message.line())
    } catch {
      Interrupt.request()
    }
  }
}
