import Environments
import Foundation

/// What the game gave.
public struct GameFinding: Codable, Sendable, Equatable {
  /// A model's matches, by opponent and decoding, and its moves.
  public struct Arm: Codable, Sendable, Equatable {
    public var name: String
    /// Games of the expert that it saw.
    public var games: Int
    public var matches: [String: MatchScores]
    public var positions: PositionExam

    func match(_ opponent: GameOpponent, _ decoding: GameDecoding) -> MatchScores? {
      matches[Self.key(opponent, decoding)]
    }

    static func key(_ opponent: GameOpponent, _ decoding: GameDecoding) -> String {
      "\(opponent.rawValue), \(decoding.rawValue)"
    }
  }

  /// A self of practice: its scores at temperature 1, by opponent.
  public struct CurvePoint: Codable, Sendable, Equatable {
    public var step: Int
    public var matches: [String: MatchScores]
  }

  /// A player of the round robin.
  public struct Rating: Codable, Sendable, Equatable {
    public var name: String
    /// Updates of practice behind it; nil for a bot.
    public var step: Int?
    public var elo: Estimate
  }

  /// A right move that the expert almost never plays.
  public struct RareMove: Codable, Sendable, Equatable {
    public var moves: [Int]
    public var move: Int
    /// The share of the expert's moves here, and of the imitator's.
    public var expert: Double
    public var imitator: Double
    /// What the expert plays most often here.
    public var expertMove: Int
    /// What each column leads to for the side that moves: 1, 0, −1; nil where it is full.
    public var values: [Int?]
  }

  /// A game to look at.
  public struct SampleGame: Codable, Sendable, Equatable {
    public var title: String
    public var moves: [Int]
    public var agentBegan: Bool
    public var opening: Int
    public var outcome: Int
  }

  public var recipe: GameRecipe
  public var parameters: Int
  public var practiceOperations: Double
  /// The imitators by the number of games, the continued one, then practice.
  public var imitators: [Arm]
  public var practice: Arm
  public var expert: Arm
  public var curve: [CurvePoint]
  public var ratings: [Rating]
  /// Moves of the greedy RL player in exam games, how many were right where the expert almost never
  /// finds them, and the first of those.
  public var movesPlayed: Int
  public var rareMoves: Int
  public var shown: [RareMove]
  public var sampleGames: [SampleGame]
}
