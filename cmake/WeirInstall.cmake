# The installed package: find_package(weir) gives weir::weir.
