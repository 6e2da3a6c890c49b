import Commands

Lyceum.main()
