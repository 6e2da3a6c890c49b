import LanguageModel
import TensorCore
import TensorKernels

/// Sequences under way over the slots of a cache, and the one step that takes them all further: the
/// core of ``Generator`` and ``Engine``. It belongs to one thread.
///
/// A sequence has its own slot and its own random numbers, and every row of the model is summed in
/// one fixed order, so it is the same, bit for bit, whatever else is under way, whether its prompt
/// was computed in one piece or in several, or taken over from another sequence.
final class DecodingCore {
  let model: Transformer
  let cache: KeyValueCache
  private(set) var sequences: [DecodingSequence] = []
  private var places: SlotTable
  private let emit: (Int, DecodingEvent) -> Bool

  /// - Parameter emit: called with the number of a sequence and what came of it; false ends the
  ///   sequence.
  init(
    _ model: Transformer, cache: KeyValueCache, emit: @escaping (Int, DecodingEvent) -> Bool
  ) {
    (self.model, self.cache, self.emit) = (model, cache, emit)
    places = SlotTable(slots: cache.slots)
  }

  var freeSlots: Int { places.free.count }

  /// Whether the cache has room for the prompt of a job beside those under way.
  func hasRoom(_ job: GenerationJob) -> Bool {
    guard freeSlots > 0 else { return false }
    return sequences.isEmpty
      || (!sequences.contains(where: \.isParked)
        && availablePages > KeyValueCache.pages(tokens: job.prompt.count) + sequences.count)
  }

  /// Pages that no sequence under way holds: free, or with what earlier ones left.
  private var availablePages: Int {
    cache.pages - cache.pages(heldBy: sequences.lazy.map(\.slot))
  }

  /// Takes a slot for `job`, the one that holds most of its prompt already. The caller has checked
  /// the job and that a slot is free.
  func begin(_ job: GenerationJob, id: Int) {
    let found = places.take(job, among: sequences)
    cache.truncate(found.slot, to: found.kept)
    var reused = found.kept
    var pending = Array(job.prompt[reused...])
    var leader: Leader?
    if let source = found.source {
      if source.tokens <= cache.lengths[source.slot] {
        cache.copy(from: source.slot, to: found.slot, tokens: source.tokens)
        places.tokens[found.slot] = Array(job.prompt[..<source.tokens])
        reused = source.tokens
        pending = Array(job.prompt[reused...])
      } else {
        leader = Leader(id: source.id, slot: source.slot, tokens: source.tokens)
      }
    }
    sequences.append(
      DecodingSequence(
        job, id: id, slot: found.slot, context: min(model.config.context, cache.capacity),
        pending: pending, reused: reused, leader: leader))
  }

  /// Ends a sequence where it stands. Nothing happens where there is none of this number.
  func cancel(_ id: Int) {
    guard let i = sequences.firstIndex(where: { $0.id == id }) else { return }
    finish(sequences.remove(at: i), .ended(.cancelled))
  }

  /// One more token for every sequence that has its prompt behind it, and up to `prefill` tokens of
  /// prompts and of what tools answered: the oldest sequence first, but half of them for the one
  /// with the least to go, so that a short prompt does not wait for a long one.
  ///
  /// - Returns: tokens that went through the model.
  @discardableResult func step(prefill: Int) -> Int {
    releaseFollowers()
    resume()
    let parts = fitted(plan(prefill))
    guard !parts.isEmpty else { return 0 }
    var tokens: [Int32] = []
    var slots: [Int32] = []
    var rows: [Row] = []
    var prompts: [PromptRows] = []
    for (sequence, count) in parts {
      let chunk = sequence.takePending(count)
      if sequence.job.scoresPrompt, !sequence.hasPrompt {
        prompts.append(PromptRows(sequence: sequence, first: tokens.count, count: count))
      }
      tokens += chunk
      slots += Array(repeating: Int32(sequence.slot), count: count)
      places.tokens[sequence.slot] += chunk
      if sequence.pending.isEmpty {
        rows.append(Row(sequence: sequence, row: tokens.count - 1))
      }
    }
    let hidden = model.hidden(tokens, slots: slots, cache: cache)
    for prompt in prompts { score(prompt, hidden) }
    shareRows(&rows)
    if !rows.isEmpty {
      let chosen = rows.map(\.row)
      let logits = Tape.paused {
        model.logits(chosen.elementsEqual(0..<tokens.count) ? hidden : hidden.selecting(chosen))
      }
      advance(rows.map(\.sequence), logits)
    }
    return tokens.count
  }

  /// A sequence and the row of the hidden states from which its next token is drawn.
  private struct Row {
    var sequence: DecodingSequence
    var row: Int
  }

  /// The rows of a part of a prompt.
  private struct PromptRows {
    var sequence: DecodingSequence
    var first: Int
    var count: Int
  }

  /// Which sequences go how far in this step.
  private func plan(_ prefill: Int) -> [(sequence: DecodingSequence, count: Int)] {
    func isReady(_ sequence: DecodingSequence) -> Bool {
      sequence.leader == nil && !sequence.isParked
    }
    var counts = sequences.map { isReady($0) && $0.pending.count == 1 ? 1 : 0 }
    let reading = sequences.indices.filter {
      isReady(sequences[$0]) && sequences[$0].pending.count > 1
    }
    if let oldest = reading.first {
      var left = max(1, prefill)
      func give(_ index: Int, _ most: Int) {
        let count = min(sequences[index].pending.count - counts[index], most)
        counts[index] += count
        left -= count
      }
      let shortest = reading.min { sequences[$0].pending.count < sequences[$1].pending.count }
      if let shortest, shortest != oldest { give(shortest, left / 2) }
      for index in reading where left > 0 { give(index, left) }
    }
    return sequences.indices.compactMap { counts[$0] > 0 ? (sequences[$0], counts[$0]) : nil }
  }

  /// Makes room in the cache for what `parts` add: what earlier sequences left goes first, the longest
  /// unused before all, then the youngest sequences are parked. The oldest always goes on: a job that
  /// alone does not fit is never taken.
  private func fitted(
    _ parts: [(sequence: DecodingSequence, count: Int)]
  ) -> [(sequence: DecodingSequence, count: Int)] {
    var parts = parts
    while parts.reduce(0, { $0 + cache.pagesNeeded($1.sequence.slot, adding: $1.count) })
      > cache.freePages
    {
      if let slot = places.forget() {
        cache.truncate(slot)
      } else if let youngest = sequences.dropFirst().last(where: { cache.lengths[$0.slot] > 0 }) {
        parts.removeAll { $0.sequence === youngest }
        cache.truncate(youngest.slot)
        places.tokens[youngest.slot] = []
        youngest.park()
      } else if parts.count > 1 {
        // Those that hold nothing yet wait.
        parts.removeLast()
      } else {
        break
      }
    }
    return parts
  }

  /// Lets sequences that wait for memory go on, the oldest first, where there is some to spare.
  private func resume() {
    guard sequences.contains(where: \.isParked) else { return }
    var available = availablePages
    for sequence in sequences where sequence.isParked {
      let needed = KeyValueCache.pages(tokens: sequence.pending.count)
      guard sequence === sequences.first || available > needed + sequences.count else { return }
      sequence.isParked = false
      available -= needed
    }
  }

  /// Copies what followers have in common with sequences that got that far. One whose leader went
  /// away computes its prompt itself.
  private func releaseFollowers() {
    for sequence in sequences {
      guard let leader = sequence.leader else { continue }
      if !sequences.contains(where: { $0.id == leader.id }) {
        sequence.leader = nil
      } else if cache.lengths[leader.slot] >= leader.tokens {
        // The last token of an equal prompt is taken over with its row, in ``shareRows(_:)``.
        follow(sequence, leader.slot, min(leader.tokens, sequence.job.prompt.count - 1))
      }
    }
  }

  /// In the step in which a prompt is complete, the sequences with the same prompt take over its
  /// tokens and draw from its row.
  private func shareRows(_ rows: inout [Row]) {
    guard sequences.contains(where: { $0.leader != nil }) else { return }
    for row in rows where !row.sequence.hasPrompt {
      let source = row.sequence
      for sequence in sequences {
        guard let leader = sequence.leader, leader.id == source.id,
          leader.tokens == sequence.job.prompt.count, cache.lengths[source.slot] == leader.tokens
        else { continue }
        follow(sequence, source.slot, leader.tokens)
        rows.append(Row(sequence: sequence, row: row.row))
      }
    }
  }

  private func follow(_ sequence: DecodingSequence, _ source: Int, _ tokens: Int) {
    cache.copy(from: source, to: sequence.slot, tokens: tokens)
    places.tokens[sequence.slot] = Array(sequence.job.prompt[..<tokens])
    sequence.follow(tokens)
  }

  /// What the model thought of the tokens of a prompt that these rows predict.
  private func score(_ prompt: PromptRows, _ hidden: Tensor) {
    let (job, begin) = (prompt.sequence.job, prompt.sequence.promptScores.count)
    var scores: [TokenScore] = begin == 0 ? [TokenScore(unscored: job.prompt[0])] : []
    // Row i predicts token i + 1; the last row of all predicts what is drawn.
    let first = max(0, begin - 1)
    let last = min(first + prompt.count, job.prompt.count - 1)
    // A few rows at a time: the scores of a long prompt over a large vocabulary would fill gigabytes.
    for start in stride(from: first, to: last, by: 32) {
      let range = start..<min(last, start + 32)
      let logits = Tape.paused {
        model.logits(hidden.selecting(range.map { prompt.first + $0 - first }))
      }
      scores += scored(Array(job.prompt[range.lowerBound + 1...range.upperBound]), logits, job)
    }
    prompt.sequence.promptScores += scores
  }

  /// Draws a token for each of `drawing` from its row of `logits`, and ends those that are over.
  private func advance(_ drawing: [DecodingSequence], _ logits: Tensor) {
    let draws = drawAll(drawing, logits)
    var over: Set<Int> = []
    for (sequence, score) in zip(drawing, draws) {
      guard let ending = accept(score, sequence) else { continue }
      over.insert(sequence.id)
      finish(sequence, ending)
    }
    if !over.isEmpty { sequences.removeAll { over.contains($0.id) } }
  }

  private func finish(_ sequence: DecodingSequence, _ ending: DecodingSequence.Ending) {
    places.give(sequence.slot)
    switch ending {
    case .ended(let end): _ = emit(sequence.id, .ended(sequence.ended(end)))
    case .failed(let error): _ = emit(sequence.id, .failed(error))
    }
  }

  /// Appends what was drawn, runs a tool where a call is complete, and tells the caller. Not nil where
  /// the sequence is over.
  private func accept(
    _ score: TokenScore, _ sequence: DecodingSequence
  ) -> DecodingSequence.Ending? {
    let job = sequence.job
    if !sequence.hasPrompt {
      sequence.hasPrompt = true
      let start = DecodingStart(reused: sequence.reused, scores: sequence.promptScores)
      sequence.promptScores = []
      guard emit(sequence.id, .began(start)) else { return .ended(.cancelled) }
      if job.settings.maxTokens == 0 { return .ended(.length) }
    }
    guard score.token >= 0 else {
      return .failed(
        GenerationError("no token may follow: what is forbidden leaves nothing to draw"))
    }
    sequence.append(score)
    var goesOn = emit(sequence.id, .token(score))
    let event = sequence.turn?.accept(score.token)
    var isStop = job.stops.contains(score.token)
    if !isStop, sequence.constraint != nil {
      sequence.constraint?.accept(score.token)
      isStop = sequence.constraint?.isFinished ?? false
    }
    var isFull = sequence.written.sampledCount >= job.settings.maxTokens
    if case .calls(let call) = event, let host = job.host, goesOn, !isFull {
      isStop = false
      let result = host.result(of: call)
      // There must be room for the result and for a token more.
      isFull = sequence.written.tokens.count + result.count >= sequence.room
      if !isFull { goesOn = inject(result, sequence) }
    }
    isFull = isFull || sequence.written.tokens.count >= sequence.room
    guard isStop || !goesOn || isFull else { return nil }
    return .ended(isStop ? .stop : goesOn ? .length : .cancelled)
  }

  /// Puts what a tool answered behind a call. False where the caller ends the sequence.
  private func inject(_ result: [Int32], _ sequence: DecodingSequence) -> Bool {
    sequence.inject(result)
    for token in result {
      _ = sequence.turn?.accept(token)
      if !emit(sequence.id, .token(TokenScore(unscored: token))) { return false }
    }
    return true
  }
}
