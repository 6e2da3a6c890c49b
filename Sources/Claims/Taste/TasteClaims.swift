import Foundation

extension TasteFinding {
  var claims: [Claim] { [] }
}
